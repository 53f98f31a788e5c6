import { stackFailed } from '../../errors.ts';
import type { Answer, Order } from './messages.ts';

/** A worker that is at work answers in milliseconds. */
const LONGEST_MS = 10_000;

type Question = Extract<Order, { readonly ask: number }>;
/** A question without its number. */
type Asked = {
  [K in Question['kind']]: Omit<Extract<Question, { readonly kind: K }>, 'ask'>;
}[Question['kind']];

/** What the fleet has asked its workers, and who has not answered yet. */
export class PendingRequests {
  private readonly send: (worker: number, question: Question) => void;
  private readonly open = new Map<number, (answer: Answer) => void>();
  private last = 0;

  constructor(send: (worker: number, question: Question) => void) {
    this.send = send;
  }

  /** @throws CapbenchError (93) when the worker does not answer in time */
  async ask(worker: number, question: Asked): Promise<Answer> {
    const ask = ++this.last;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.open.set(ask, resolve);
        timer = setTimeout(() => reject(silent(worker, question)), LONGEST_MS).unref();
        this.send(worker, { ...question, ask });
      });
    } finally {
      clearTimeout(timer);
      this.open.delete(ask);
    }
  }

  answer(answer: Answer): void {
    this.open.get(answer.ask)?.(answer);
  }
}

const WHAT: Readonly<Record<Question['kind'], string>> = {
  drop: 'was told to drop connections',
  tellLedger: 'was asked for what it has sent',
};

const silent = (worker: number, { kind }: Asked): Error =>
  stackFailed(
    `load worker ${worker} ${WHAT[kind]} and did not answer within ${LONGEST_MS / 1e3} s`,
    'It was stopped, or is stuck: see whether the machine is overloaded, and run again.',
  );
