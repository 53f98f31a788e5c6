import { exceeds, like, measureText, text } from './arithmetic.ts';
import type { Check } from './check.ts';

/** Memory that every connection may take at once, if only for a moment. */
export const workMemory: Check = {
  id: 'work-mem',
  title: 'The memory of sorts on all connections fits that of the database',
  needs: ['database.connections', 'database.workMem', 'database.memory'],
  rule({ database = {} }) {
    const { connections, workMem, memory } = database;
    if (!connections || !workMem || !memory) return [];
    const most = connections.high * workMem.high;
    return [
      {
        subject: '',
        holds: !exceeds(most, memory.low),
        arithmetic: `${text(connections)} x ${text(workMem)} = ${like(memory, most)}, of ${text(memory)}`,
        figures: [connections, workMem, memory],
        disputes: [connections, workMem],
      },
    ];
  },
};

export const checkpoints: Check = {
  id: 'checkpoints',
  title: 'The write-ahead log lasts from one checkpoint to the next',
  needs: [
    ...['rowWritesPerSecond', 'walBytesPerWrite', 'maxWalSize', 'checkpointEvery'].map(
      (key) => `database.${key}`,
    ),
  ],
  rule({ database = {} }) {
    const {
      rowWritesPerSecond: rows,
      walBytesPerWrite: each,
      maxWalSize: size,
      checkpointEvery: every,
    } = database;
    if (!rows || !each || !size || !every) return [];
    const perSecond = rows.high * each.high;
    return [
      {
        subject: '',
        holds: !exceeds(perSecond * every.high, size.low),
        arithmetic: `${text(size)} / (${text(rows)} x ${text(each)}) = ${measureText(size.low / perSecond, 's')}, of ${text(every)} from checkpoint to checkpoint`,
        figures: [rows, each, size, every],
        disputes: [every],
      },
    ];
  },
};

const DAY = 86_400;

export const statementLog: Check = {
  id: 'statement-log',
  title: 'The log of all writes fits the disk for as long as it is kept',
  needs: ['database.rowWritesPerSecond', 'database.logBytesPerWrite', 'database.disk'],
  rule({ database = {} }) {
    const { rowWritesPerSecond: rows, logBytesPerWrite: each, disk, logKept: kept } = database;
    if (!rows || !each || !disk) return [];
    const perSecond = rows.high * each.high;
    const time = kept?.high ?? DAY;
    return [
      {
        subject: '',
        holds: !exceeds(perSecond * time, disk.low),
        arithmetic: `${text(rows)} x ${text(each)} x ${kept === undefined ? measureText(DAY, 's') : text(kept)} = ${like(disk, perSecond * time)}, of ${text(disk)}, full after ${measureText(disk.low / perSecond, 's')}`,
        figures: [rows, each, disk, kept],
        disputes: [],
      },
    ];
  },
};
