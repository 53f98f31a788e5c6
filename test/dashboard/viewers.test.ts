import { expect, test, vi } from 'vitest';
import { Viewers } from '../../src/dashboard/viewers.ts';

/** A response whose reader reads, or does not. */
function sink(isReading = true) {
  const events: { readonly id: string; readonly parts: Record<string, string> }[] = [];
  const listeners = { drain: [] as (() => void)[], close: [] as (() => void)[] };
  let [reads, ended] = [isReading, false];
  const take = (text: string): void => {
    for (const event of text.split('\n\n').filter((one) => one !== '')) {
      const [, id = '', data = ''] = /^id: (\S+)\ndata: (.*)$/.exec(event) ?? [];
      events.push({ id, parts: JSON.parse(data).parts });
    }
  };
  return {
    events,
    get ended() {
      return ended;
    },
    get last() {
      return events.at(-1);
    },
    stop: () => {
      reads = false;
    },
    drain: () => {
      reads = true;
      for (const listener of listeners.drain.splice(0)) listener();
    },
    close: () => {
      for (const listener of listeners.close) listener();
    },
    sink: {
      write: (text: string): boolean => {
        take(text);
        return reads;
      },
      end: (text: string): void => {
        take(text);
        ended = true;
        if (reads) for (const listener of listeners.close) listener();
      },
      once: (event: 'drain', listener: () => void) => listeners[event].push(listener),
      on: (event: 'close', listener: () => void) => listeners[event].push(listener),
    },
  };
}

test('every viewer is sent what changed, a late one all of it', () => {
  const viewers = new Viewers('run');
  const [first, late] = [sink(), sink()];
  viewers.add(first.sink);
  viewers.publish({ state: 'ramp', tiles: '1' });
  viewers.publish({ state: 'ramp', tiles: '2' });
  viewers.publish({ state: 'ramp', tiles: '2' });
  viewers.add(late.sink);
  expect(first.events.map(({ parts }) => parts)).toEqual([{ state: 'ramp', tiles: '1' }, { tiles: '2' }]);
  expect(late.events.map(({ parts }) => parts)).toEqual([{ state: 'ramp', tiles: '2' }]);
  expect(late.last?.id).toBe(first.last?.id);
});

test.each([
  ['of this run', 'run-1', { tiles: '2', budgets: 'met' }],
  ['that has seen all', 'run-3', null],
  ['of another run', 'earlier-1', { state: 'ramp', tiles: '2', budgets: 'met' }],
  ['from the future', 'run-4', { state: 'ramp', tiles: '2', budgets: 'met' }],
  ['with nonsense', 'run-1e', { state: 'ramp', tiles: '2', budgets: 'met' }],
  ['with more nonsense', '-', { state: 'ramp', tiles: '2', budgets: 'met' }],
])('a viewer %s who comes back gets what changed meanwhile', (_who, lastEventId, parts) => {
  const viewers = new Viewers('run');
  viewers.publish({ state: 'ramp', tiles: '1' });
  viewers.publish({ tiles: '2' });
  viewers.publish({ budgets: 'met' });
  const back = sink();
  viewers.add(back.sink, lastEventId);
  expect(back.last?.parts ?? null).toEqual(parts);
  viewers.publish({ tiles: '3' });
  expect(back.last?.parts).toEqual({ tiles: '3' });
});

test('a slow viewer has one event in memory, gets the newest parts once it reads, and holds up nobody', () => {
  const viewers = new Viewers('run');
  const [slow, quick] = [sink(false), sink()];
  viewers.add(slow.sink);
  viewers.add(quick.sink);
  for (let second = 1; second <= 100; second++)
    viewers.publish({ tiles: `${second}`, ...(second === 50 ? { faults: 'one' } : {}) });
  expect(slow.events.map(({ parts }) => parts)).toEqual([{ tiles: '1' }]);
  expect(quick.events).toHaveLength(100);
  slow.drain();
  expect(slow.events.slice(1).map(({ parts }) => parts)).toEqual([{ tiles: '100', faults: 'one' }]);
  viewers.publish({ tiles: '101' });
  expect(slow.last?.parts).toEqual({ tiles: '101' });
});

test('a viewer that went away is forgotten', () => {
  const viewers = new Viewers('run');
  const gone = sink();
  viewers.add(gone.sink);
  expect(viewers.count).toBe(1);
  gone.close();
  viewers.publish({ tiles: '1' });
  expect([viewers.count, gone.events.length]).toEqual([0, 0]);
});

test('the end waits for who reads, and only a moment for who does not', async () => {
  const quick = new Viewers('run');
  const reader = sink();
  quick.add(reader.sink);
  await quick.end({ over: 'the run is over' });
  expect([reader.ended, reader.last?.parts]).toEqual([true, { over: 'the run is over' }]);

  vi.useFakeTimers();
  try {
    const viewers = new Viewers('run');
    const stuck = sink(false);
    viewers.add(stuck.sink);
    viewers.publish({ tiles: '1' });
    let isOver = false;
    const ending = viewers.end({ over: 'the run is over' }).then(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(250);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    await ending;
    const late = sink();
    viewers.add(late.sink);
    expect([late.ended, late.last?.parts]).toEqual([true, { tiles: '1', over: 'the run is over' }]);
  } finally {
    vi.useRealTimers();
  }
});
