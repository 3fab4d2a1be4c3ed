import { expect, test } from 'vitest';
import { failure, success } from '../../engine/protocol/result.ts';
import { HeldEngine, settled } from '../testing/app.ts';
import { type Answer, LatestAnswer } from './latest-answer.ts';

function setUp() {
  const engine = new HeldEngine(['find']);
  const answers: Answer<unknown>[] = [];
  const latest = new LatestAnswer<'find'>(
    (params) => engine.call('find', params),
    (answer) => answers.push(answer),
  );
  return { engine, answers, latest };
}

const question = (text: string) => ({ text, limit: 10 });

test('of two questions only the answer to the later one is taken, whichever comes first', async () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const { engine, answers, latest } = setUp();
    latest.ask(question('first'));
    latest.ask(question('second'));
    for (const index of order) await engine.at(index).answer(success([`answer ${index}`]));
    expect(answers).toEqual([{ value: ['answer 1'], error: undefined }]);
  }
});

test('the same question is asked once, and again when something that it depends on has changed', async () => {
  const { engine, latest } = setUp();
  latest.ask(question('x'), 1);
  latest.ask(question('x'), 1);
  expect(engine.held).toHaveLength(1);
  latest.ask(question('x'), 2);
  expect(engine.held).toHaveLength(2);
  latest.ask({ text: 'x', limit: 11 }, 2);
  expect(engine.held).toHaveLength(3);
});

test('without a question there is no answer, even if one was under way', async () => {
  const { engine, answers, latest } = setUp();
  latest.ask(question('x'));
  latest.ask(undefined);
  await engine.at(0).answer(success(['late']));
  expect(answers).toEqual([{ value: undefined, error: undefined }]);
});

test('a failure takes the place of the answer; the restart of the engine does not', async () => {
  const { engine, answers, latest } = setUp();
  latest.ask(question('x'), 0);
  await engine.at(0).answer(failure('engine-restarted', 'restarted'));
  expect(answers).toEqual([]);
  latest.ask(question('x'), 1);
  await engine.at(1).answer(failure('bug', 'broken'));
  expect(answers).toEqual([{ value: undefined, error: { code: 'bug', message: 'broken' } }]);
});

test('after a stop the answer under way is dropped, and the same question is asked again', async () => {
  const { engine, answers, latest } = setUp();
  latest.ask(question('x'));
  latest.stop();
  await engine.at(0).answer(success(['late']));
  latest.ask(question('x'));
  await settled();
  expect(answers).toEqual([]);
  expect(engine.held).toHaveLength(2);
});
