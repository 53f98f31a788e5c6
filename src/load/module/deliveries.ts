import type { Context, Operation } from '../../player.d.ts';
import { ALL, type DeliveryLog, OTHERS } from '../delivery-log.ts';

const LONGEST_KEY = 200;

interface DeliveryPart extends Pick<Context, 'player' | 'players' | 'now'> {
  /** Null: nobody asks, as in the calibration. */
  readonly deliveries: DeliveryLog | null;
  /** The due time of the operation that this player was given last; null before the first. */
  readonly lastDue: () => number | null;
}

/**
 * One player's `expectDelivery` and `delivered`.
 * @throws what the module passes wrongly is an Error where it calls
 */
export function deliveriesOf({
  player,
  players,
  now,
  deliveries,
  lastDue,
}: DeliveryPart): Pick<Context, 'expectDelivery' | 'delivered'> {
  return {
    expectDelivery(key, receivers, operation) {
      const name = nameOf(key, 'expectDelivery');
      const numbers = receiversOf(receivers, players);
      const due = operation === undefined ? (lastDue() ?? now()) : dueOf(operation);
      deliveries?.expect(name, player, due, numbers);
    },
    delivered(key) {
      deliveries?.deliver(nameOf(key, 'delivered'), player, now());
    },
  };
}

const refusal = (call: string, got: string, expected: string): Error =>
  new Error(`context.${call}: got ${got}, expected ${expected}`);

function nameOf(key: unknown, call: string): string {
  if (typeof key === 'number' && Number.isFinite(key)) return String(key);
  if (typeof key === 'string' && key.length > 0 && key.length <= LONGEST_KEY) return key;
  const got = typeof key === 'string' ? `a key of ${key.length} characters` : `${shown(key)} as the key`;
  throw refusal(call, got, `a number, or a text of 1 to ${LONGEST_KEY} characters`);
}

function receiversOf(receivers: unknown, players: number): number | readonly number[] {
  if (receivers === 'all') return ALL;
  if (receivers === 'others') return OTHERS;
  const expected = `'others', 'all', or an array of player numbers from 0 to ${players - 1}`;
  if (!Array.isArray(receivers)) throw refusal('expectDelivery', shown(receivers), expected);
  const odd = receivers.find((one) => !Number.isInteger(one) || one < 0 || one >= players);
  if (odd !== undefined) throw refusal('expectDelivery', `${shown(odd)} among the players`, expected);
  return [...new Set<number>(receivers)];
}

function dueOf(operation: Pick<Operation, 'due'>): number {
  if (Number.isFinite(operation?.due)) return operation.due;
  throw refusal('expectDelivery', shown(operation), 'the operation that perform was given');
}

const shown = (value: unknown): string =>
  typeof value === 'string'
    ? JSON.stringify(value.slice(0, 40))
    : typeof value === 'object'
      ? 'an object'
      : String(value);
