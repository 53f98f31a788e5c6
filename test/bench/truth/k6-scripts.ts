import type { Offer } from './tool.ts';

/** What the known world makes wait at the rate offered, at most: a whole stall, and the slow tail. */
const SHARE_WAITING = 0.4;

const SUMMARY = (metric: string): string => `
export function handleSummary(data) {
  return { stdout: JSON.stringify(data.metrics.${metric}.values) };
}
`;

const STATISTICS = `['count', 'p(50)', 'p(90)', 'p(95)', 'p(99)']`;

/** An iteration is one request, begun at its time whatever became of the others. */
export const K6_HTTP = ({ url, rate, seconds }: Offer): string => `
import http from 'k6/http';
export const options = {
  discardResponseBodies: true,
  summaryTrendStats: ${STATISTICS},
  scenarios: {
    offered: {
      executor: 'constant-arrival-rate',
      rate: ${rate}, timeUnit: '1s', duration: '${seconds}s',
      preAllocatedVUs: ${rate * SHARE_WAITING}, maxVUs: ${rate * SHARE_WAITING},
    },
  },
};
export default function () {
  http.get('${url}/');
}
${SUMMARY('http_req_duration')}`;

/** One connection whose timer sends what is due, as a user would write a player; measured from the sending. */
export const K6_PLAYER = ({ url, rate, seconds }: Offer): string => `
import { WebSocket } from 'k6/websockets';
import { Trend } from 'k6/metrics';
const answered = new Trend('answered', true);
export const options = { vus: 1, iterations: 1, summaryTrendStats: ${STATISTICS} };
export default function () {
  const socket = new WebSocket('${url.replace('http', 'ws')}/play?player=0');
  const sent = [];
  socket.onmessage = ({ data }) => {
    const { acks } = JSON.parse(data);
    if (acks !== undefined) {
      for (const { seq } of acks) answered.add(Date.now() - sent[seq]);
      return;
    }
    const start = Date.now();
    const timer = setInterval(() => {
      const now = Date.now();
      for (; sent.length <= ((now - start) * ${rate}) / 1000; ) {
        const seq = Math.max(1, sent.length);
        sent[seq] = now;
        socket.send('{"seq":' + seq + ',"text":"look"}');
      }
      if (now - start < ${seconds * 1000}) return;
      clearInterval(timer);
      setTimeout(() => socket.close(), 1000);
    }, 1);
  };
}
${SUMMARY('answered')}`;
