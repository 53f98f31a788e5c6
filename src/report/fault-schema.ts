import { z } from 'zod';
import { figure, text } from './figure-schemas.ts';

/** A fault in report.json. */
export const faultSchema = z.object({
  id: text,
  action: z.enum(['kill', 'stop', 'drop']),
  of: text,
  from: z.number(),
  downSeconds: figure.describe('Until the component answered again.'),
  recoverySeconds: figure.describe('Until everybody was connected and the backlog was what it had been.'),
  backlogPeak: figure.describe('Operations that were due and had not found their end.'),
  backlogBefore: figure,
  failed: figure,
  timedOut: figure,
  skipped: figure,
  disconnects: figure,
  reconnects: figure,
  dropped: figure.describe('Sockets that were cut.'),
  lost: figure.describe('Acknowledged, and not in the rows once the component was back.'),
  phantom: figure,
  duplicated: figure,
  holes: figure.describe('Entities whose numbers do not add up.'),
  error: text.nullable(),
});
