/** The script's clock and counts, as JavaScript. CONFIG, NAMES, LABELS and the k6 modules are there. */
export const MEASURE_SOURCE = `
// --- The clock and the counts -------------------------------------------------------------------------------------
// Latency counts from the moment at which an operation was due, not from its sending: a server that stalls cannot slow
// its own examination down. k6 has a clock of whole milliseconds, so due times are rounded down to those, too.

const MEASURE_START = measureStartOf(CONFIG);
const END = endOf(CONFIG);
const END_MS = Math.ceil(END / 1000);
const SKIP_AFTER_MS = CONFIG.skipAfterSeconds * 1000;
const TIMEOUT_MS = CONFIG.timeoutSeconds * 1000;
const DRAIN_END_MS = END_MS + CONFIG.drainSeconds * 1000;
const dueMs = (due) => Math.floor(due / 1000);

// How often, and how long, a connection is tried before it has failed.
const MOST_ATTEMPTS = 5;
const WELCOME_MS = 3000;
const RETRY_MS = 300;

// capbench runs this script, too, reads every sample, and wants each player's own books.
const UNDER_CAPBENCH = __ENV.CAPBENCH_BOOKS === '1';

const connectMs = new Trend(NAMES.connect, true);
const [connected, connectFailed, disconnects, linesLost, leftAtEnd, strayAnswers, lanesReady] = [
  'connected', 'connectFailed', 'disconnects', 'linesLost', 'left', 'stray', 'lanesReady',
].map((which) => new Counter(NAMES[which]));
const [bytesIn, bytesOut, framesIn, commandBytes] = ['bytesIn', 'bytesOut', 'framesIn', 'commandBytes'].map(
  (which) => new Counter(NAMES[which]),
);
const goAt = new Gauge(NAMES.go);

// Each operation that comes due is counted once as scheduled, and once by what became of it:
// scheduled = ok + rejected + failed + timedOut + skipped + unfinished. "failedUnsent" is the part of failed that had
// not even been sent.
function operationMetrics(names) {
  const counters = (kinds) =>
    Object.fromEntries(Object.entries(kinds).map(([kind, name]) => [kind, new Counter(name)]));
  const measured = counters(names.counters);
  const early = counters(names.earlyCounters);
  const [due, service, lag, ownLag, earlyDue] = ['due', 'service', 'lag', 'ownLag', 'earlyDue'].map(
    (kind) => new Trend(names[kind], true),
  );
  const sentInTime = new Rate(names.sent);
  const limits = names.limits.map(({ rate, limitMs, strict }) => ({
    within: new Rate(rate),
    isKept: (ms) => (strict ? ms < limitMs : ms <= limitMs),
  }));
  const isMeasured = (at) => at >= MEASURE_START;
  return {
    declared: () => Object.values(measured).concat(Object.values(early)),
    scheduled(n, at) {
      (isMeasured(at) ? measured : early).scheduled.add(n);
    },
    // By how much we ourselves were late, sending what could have been sent.
    late(at, ms) {
      if (isMeasured(at)) ownLag.add(ms);
    },
    // "n" operations, due "at" (microseconds) and sent at "sent" (milliseconds), were answered "now": so many were ok.
    answered(n, ok, at, sent, now) {
      const counts = isMeasured(at) ? measured : early;
      if (ok > 0) counts.ok.add(ok);
      if (n > ok) counts.rejected.add(n - ok);
      const latency = now - dueMs(at);
      if (!isMeasured(at)) return earlyDue.add(latency);
      due.add(latency);
      service.add(now - sent);
      lag.add(sent - dueMs(at));
      if (UNDER_CAPBENCH) return;
      sentInTime.add(true);
      for (const { within, isKept } of limits) within.add(isKept(latency));
    },
    // What is not answered was not answered in time, whatever the limit.
    missed(outcome, n, at) {
      const counts = isMeasured(at) ? measured : early;
      counts[outcome].add(n);
      if (outcome === 'failedUnsent') counts.failed.add(n);
      if (!isMeasured(at) || UNDER_CAPBENCH) return;
      sentInTime.add(outcome !== 'skipped' && outcome !== 'failedUnsent');
      for (const { within } of limits) within.add(false);
    },
  };
}
const OPERATIONS = {};
for (const id of Object.keys(LABELS)) OPERATIONS[id] = operationMetrics(NAMES.operations[id]);

// The bytes of a WebSocket frame: header and payload (RFC 6455), and the mask that clients add.
const frameBytes = (payload) => payload + (payload < 126 ? 2 : payload < 65536 ? 4 : 10);
const MASK_BYTES = 4;

// k6 waits for ever in close() of a socket that is not open yet: that one is closed by its onopen.
function hangUp(socket) {
  if (socket !== null && socket.readyState === 1) socket.close();
}

// A frame of the protocol is a JSON object; null for everything else.
function readFrame(text) {
  try {
    const frame = JSON.parse(text);
    return typeof frame === 'object' && frame !== null ? frame : null;
  } catch (_) {
    return null;
  }
}
const isList = (value) => value === undefined || Array.isArray(value);
`;

/** What the script keeps for capbench: who used and was acknowledged which numbers, and what was due; as JavaScript. */
export const BOOKS_SOURCE = `
// --- The books ----------------------------------------------------------------------------------------------------
// Everybody who acts numbers what it sends. What was acknowledged has to be kept.

// The book of one entity: the numbers that it used, and of those the ones that were acknowledged: all from base + 1 to
// top, but for the gaps.
function openBook(lastSeq) {
  return { base: lastSeq, last: lastSeq, top: lastSeq, gaps: [] };
}
function acknowledge(book, seq) {
  if (seq > book.top) {
    if (seq > book.top + 1) book.gaps.push([book.top + 1, seq - 1]);
    book.top = seq;
    return;
  }
  const at = book.gaps.findIndex(([first, last]) => first <= seq && seq <= last);
  if (at < 0) return;
  const [first, last] = book.gaps[at];
  const rest = [[first, seq - 1], [seq + 1, last]].filter(([from, to]) => from <= to);
  book.gaps.splice(at, 1, ...rest);
}

// What capbench reads of it; "stated" is 1 + what the server last said of the entity, 0 where it said nothing.
const pageOf = (id, { base, last, top, gaps }, stated) => [id, base, last, stated, top].concat(gaps.flat());

// What capbench wants to know at a virtual user's end, as one line of JSON.
function tellBooks(books, hash, complaints) {
  console.log(JSON.stringify({ books, hash: hash.words(), complaints: Array.from(complaints) }));
}
`;
