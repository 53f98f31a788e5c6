import type { Figure, Plan } from '../scenario/plan.ts';
import { exceeds, like, numberText, text } from './arithmetic.ts';
import type { Check, Found } from './check.ts';

type FanOut = NonNullable<Plan['fanOut']>[number];

/** What is heard of each message, against one thing that it must fit. */
function against(
  { name, perSecond, receivers }: FanOut,
  limit: Figure | undefined,
  part: {
    readonly subject: string;
    readonly bytes?: Figure | undefined;
    readonly players?: Figure | undefined;
  },
): readonly Found[] {
  const { subject, bytes, players } = part;
  if (limit === undefined) return [];
  const most = (perSecond.high * receivers.high * (bytes?.high ?? 1)) / (players?.low ?? 1);
  const shown = [
    `${text(perSecond)} x ${text(receivers, 'receivers')}`,
    ...(bytes === undefined ? [] : [` x ${text(bytes)}`]),
    ...(players === undefined ? [] : [` / ${text(players)}`]),
  ];
  const fit = receivers.high * (limit.low / most);
  return [
    {
      subject: `${name}: ${subject}`,
      holds: !exceeds(most, limit.low),
      arithmetic: `${shown.join('')} = ${like(limit, most)}, of ${text(limit)}${most === 0 ? '' : `; ${numberText(fit)} receivers would fit`}`,
      figures: [perSecond, receivers, bytes, players, limit],
      disputes: [limit],
    },
  ];
}

/** Where each message is sent to many, what is sent grows with the senders and with the receivers. */
export const fanOut: Check = {
  id: 'fan-out',
  title: 'What all receivers of a message are sent fits the network, each of them, and what is delivered',
  needs: ['fanOut[].perSecond', 'fanOut[].receivers', 'fanOut[].deliveries'],
  rule: ({ fanOut: all = [] }) =>
    all.flatMap((one) => {
      const { bytes, players, deliveries, network, each } = one;
      return [
        ...against(one, deliveries, { subject: 'deliveries' }),
        ...(bytes === undefined ? [] : against(one, network, { subject: 'network', bytes })),
        ...(bytes === undefined || players === undefined
          ? []
          : against(one, each, { subject: 'each', bytes, players })),
      ];
    }),
};
