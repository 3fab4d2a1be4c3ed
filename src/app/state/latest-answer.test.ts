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

const paramsFor = (text: string) => ({ text, limit: 10 });

test('of two calls only the answer to the later one is used, whichever arrives first', async () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const { engine, answers, latest } = setUp();
    latest.request(paramsFor('first'));
    latest.request(paramsFor('second'));
    for (const index of order) await engine.at(index).answer(success([`answer ${index}`]));
    expect(answers).toEqual([{ value: ['answer 1'], error: undefined }]);
  }
});

test('the same call is made once, and again when something that the answer depends on has changed', async () => {
  const { engine, latest } = setUp();
  latest.request(paramsFor('x'), 1);
  latest.request(paramsFor('x'), 1);
  expect(engine.held).toHaveLength(1);
  latest.request(paramsFor('x'), 2);
  expect(engine.held).toHaveLength(2);
  latest.request({ text: 'x', limit: 11 }, 2);
  expect(engine.held).toHaveLength(3);
});

test('without a call there is no answer, even if one was pending', async () => {
  const { engine, answers, latest } = setUp();
  latest.request(paramsFor('x'));
  latest.request(undefined);
  await engine.at(0).answer(success(['late']));
  expect(answers).toEqual([{ value: undefined, error: undefined }]);
});

test('a failure replaces the answer; the restart of the engine does not', async () => {
  const { engine, answers, latest } = setUp();
  latest.request(paramsFor('x'), 0);
  await engine.at(0).answer(failure('engine-restarted', 'restarted'));
  expect(answers).toEqual([]);
  latest.request(paramsFor('x'), 1);
  await engine.at(1).answer(failure('bug', 'broken'));
  expect(answers).toEqual([{ value: undefined, error: { code: 'bug', message: 'broken' } }]);
});

test('after a stop the pending answer is dropped, and the same call is made again', async () => {
  const { engine, answers, latest } = setUp();
  latest.request(paramsFor('x'));
  latest.stop();
  await engine.at(0).answer(success(['late']));
  latest.request(paramsFor('x'));
  await settled();
  expect(answers).toEqual([]);
  expect(engine.held).toHaveLength(2);
});
