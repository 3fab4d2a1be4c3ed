import { beforeEach, expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { dismissProblem, notify, showEngineError, showError } from './notices.ts';

beforeEach(() => {
  startApp();
});

test('an error stays until it is closed, whatever is announced', () => {
  showError('Nothing was copied', 'The browser denied access.');
  notify('opened');
  expect(useApp.getState()).toMatchObject({
    notice: 'opened',
    problem: { title: 'Nothing was copied', message: 'The browser denied access.', lines: [], samples: [] },
  });
  dismissProblem();
  expect(useApp.getState().problem).toBeUndefined();
});

test('an error of the engine has the first lines; a cancelled call is only announced', () => {
  const samples = [{ source: 'a', line: 3, text: 'x' }];
  showEngineError('a was not opened', { code: 'not-recognized', message: 'nothing found', samples });
  expect(useApp.getState().problem).toMatchObject({ samples, lines: [] });
  showEngineError('a was not opened', { code: 'not-recognized', message: 'a. b', lines: ['a', 'b'] });
  expect(useApp.getState().problem).toMatchObject({ samples: [], lines: ['a', 'b'] });
  dismissProblem();
  showEngineError('a was not opened', { code: 'cancelled', message: 'cancelled' });
  expect(useApp.getState()).toMatchObject({ problem: undefined, notice: 'Cancelled; nothing changed.' });
});
