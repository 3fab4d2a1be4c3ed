// Slides around a frame of iovascope: each slide names a step of the session (data-step), and the frame goes there.
const slides = [...document.querySelectorAll('section')];
const frame = document.querySelector('iframe');
const place = document.getElementById('place');
let at = 0;
let steps;

function ask(action, step) {
  frame.contentWindow.postMessage({ type: 'iovascope', action, step }, location.origin === 'null' ? '*' : location.origin);
}

function show() {
  for (const [i, slide] of slides.entries()) slide.hidden = i !== at;
  const { step } = slides[at].dataset;
  if (steps !== undefined) ask('goto', Number(step));
}

function go(by) {
  at = Math.max(0, Math.min(slides.length - 1, at + by));
  show();
}

addEventListener('message', ({ source, data }) => {
  if (source !== frame.contentWindow || data?.type !== 'iovascope') return;
  if (data.action === 'ready') {
    ask('state');
    return;
  }
  const isFirst = steps === undefined;
  steps = data.state.steps;
  place.textContent = `Slide ${at + 1} of ${slides.length}, event ${data.state.step} of ${steps}`;
  if (isFirst) show();
});
addEventListener('keydown', ({ key }) => {
  if (key === 'ArrowRight' || key === ' ' || key === 'PageDown') go(1);
  if (key === 'ArrowLeft' || key === 'PageUp') go(-1);
});
document.getElementById('next').addEventListener('click', () => go(1));
document.getElementById('previous').addEventListener('click', () => go(-1));
show();
