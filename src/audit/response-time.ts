import { exceeds, like, text } from './arithmetic.ts';
import type { Check } from './check.ts';

/** What arrives at any time waits for the end of the window: evenly from nothing to all of it. */
export const responseTime: Check = {
  id: 'response-time',
  title: 'The wait for the next flush or update leaves time to answer',
  needs: ['latency'],
  rule: ({ latency = [] }) =>
    latency.map(({ name, limit, window, service, percentile }) => {
      const wait = (window.high * percentile) / 100;
      const rest = service?.high ?? 0;
      const which = percentile === 100 ? 'the longest' : `p${percentile}`;
      const work =
        service === undefined ? '' : `, and with ${text(service)} of work ${like(limit, wait + rest)}`;
      return {
        subject: name,
        holds: !exceeds(wait + rest, limit.low),
        arithmetic: `${which} wait for the end of ${text(window)} is ${like(limit, wait)}${work}; the limit is ${text(limit)}`,
        figures: [limit, window, service],
        disputes: [limit],
      };
    }),
};
