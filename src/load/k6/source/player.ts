/** One virtual user that is one player, as JavaScript. */
export const PLAYER_SOURCE = `
// --- A player: one virtual user, one WebSocket -----------------------------------------------------------------------
// It connects, waits for GO, sends what its schedule says, and keeps at most "outstanding" intents unanswered. What is
// due meanwhile waits, and is skipped once it is "skipAfter" late. A player whose connection ends does not come back:
// everything that comes due for it has failed.

export function player(data) {
  const id = exec.scenario.iterationInTest;
  const world = data.worlds.find(({ players }) => id >= players.from && id < players.to);
  const schedule = playerSchedule(CONFIG, id);
  const voice = playerVoice(CONFIG, id);
  const hash = scheduleHash();
  const now = () => Date.now() - data.go;

  let socket = null;
  let state = 'connecting'; // then ready; lost when the connection ended without our doing; over
  let book = openBook(0);
  let told = 0; // 1 + the place in which the server said we are
  let planned = 0;
  let ableAt = -Infinity; // since when we could have sent: a slot became free, or we were connected
  const unanswered = new Map(); // seq -> when it was due and sent, in the order of sending
  const late = new Set(); // timed out; an answer may still come
  let waiting = []; // due times
  let nextDue = schedule();
  let timer = null;
  let began = 0;
  let attempts = 0;
  const meter = { bytesIn: 0, bytesOut: 0, framesIn: 0, told: 0 };
  const complaints = new Set();

  setTimeout(() => {
    began = Date.now();
    connect();
    arm();
  }, Math.max(0, data.connectFrom + (id / CONFIG.connectsPerSecond) * 1000 - Date.now()));

  function connect() {
    if (world === undefined) return refuse('no world server owns this player');
    const own = new WebSocket(world.url.replace(/^http/, 'ws') + '/play?player=' + id);
    socket = own;
    own.onopen = () => {
      if (own !== socket || state !== 'connecting') own.close();
      else setTimeout(() => tryAgain(own, 'no welcome'), WELCOME_MS);
    };
    own.onmessage = (message) => {
      if (own !== socket || state === 'over' || state === 'lost') return;
      const frame = readFrame(message.data);
      if (state !== 'connecting') return hear(frame, message.data.length);
      if (frame === null || !frame.welcome) return tryAgain(own, 'the first frame was no welcome');
      connectMs.add(Date.now() - began);
      connected.add(1);
      state = 'ready';
      book = openBook(frame.welcome.lastSeq);
      voice.see(frame.welcome);
      ableAt = now();
      pump();
    };
    own.onerror = (error) => lose(own, String(error.error));
    own.onclose = (close) => lose(own, 'the server closed the connection (code ' + close.code + ')');
  }

  // k6 drops a frame that comes before it has told the script that the socket is open: then there is no welcome.
  function tryAgain(own, why) {
    if (own !== socket || state !== 'connecting') return;
    attempts += 1;
    socket = null;
    hangUp(own);
    if (attempts >= MOST_ATTEMPTS) refuse(why);
    else setTimeout(connect, RETRY_MS);
  }

  function refuse(why) {
    connectFailed.add(1);
    complaints.add('a player could not connect: ' + why);
    giveUp();
  }

  function lose(own, why) {
    if (own !== socket || state === 'lost' || state === 'over') return;
    if (state === 'connecting') return tryAgain(own, why);
    disconnects.add(1);
    complaints.add("a player's connection: " + why);
    giveUp();
  }

  function giveUp() {
    state = 'lost';
    for (const { due } of unanswered.values()) intents.missed('failed', 1, due);
    unanswered.clear();
    for (const due of waiting) intents.missed('failed', 1, due);
    waiting = [];
    hangUp(socket);
    arm();
  }

  function hear(frame, length) {
    meter.framesIn += 1;
    meter.bytesIn += frameBytes(length);
    if (frame === null || !isList(frame.acks) || !isList(frame.events)) {
      strayAnswers.add(1);
      return lose(socket, 'a world server sent a player a frame that is not of the protocol');
    }
    const at = now();
    for (const ack of frame.acks || []) {
      if (ack.place !== undefined) {
        voice.see(ack);
        told = 1 + ack.place;
      }
      answer(ack, at);
    }
    for (const event of frame.events || []) voice.hear(event);
    if (waiting.length > 0) pump();
    if (nextDue === NEVER) arm();
  }

  function answer(ack, at) {
    const asked = unanswered.get(ack.seq);
    if (asked === undefined) {
      if (late.delete(ack.seq)) return acknowledge(book, ack.seq);
      strayAnswers.add(1);
      complaints.add('a world server acknowledged a sequence number that was not waiting for an answer');
      return;
    }
    if (unanswered.size >= CONFIG.outstanding) ableAt = at;
    unanswered.delete(ack.seq);
    acknowledge(book, ack.seq);
    // An answer after the timeout is none.
    if (at - asked.sent > TIMEOUT_MS) intents.missed('timedOut', 1, asked.due);
    else intents.answered(1, ack.ok ? 1 : 0, asked.due, asked.sent, at);
  }

  function comeDue(due, at) {
    planned += 1;
    if (UNDER_CAPBENCH) hash.add(0, id, planned, due);
    intents.scheduled(1, due);
    if (state === 'lost') return intents.missed('failed', 1, due);
    const able = state === 'ready' && waiting.length === 0 && unanswered.size < CONFIG.outstanding;
    if (at - dueMs(due) > SKIP_AFTER_MS) {
      if (able) intents.late(due, at - Math.max(dueMs(due), ableAt));
      return intents.missed('skipped', 1, due);
    }
    if (able) send(due);
    else waiting.push(due);
  }

  function send(due) {
    const sent = now();
    if (socket.readyState !== 1) return intents.missed('failed', 1, due);
    book.last += 1;
    unanswered.set(book.last, { due, sent });
    intents.late(due, sent - Math.max(dueMs(due), ableAt));
    const frame = '{"seq":' + book.last + ',"text":"' + voice.say() + '"}';
    meter.bytesOut += frameBytes(frame.length) + MASK_BYTES;
    socket.send(frame);
  }

  // Sends what waits as far as there are slots; skips what is too late.
  function pump() {
    const at = now();
    while (waiting.length > 0) {
      if (at - dueMs(waiting[0]) > SKIP_AFTER_MS) intents.missed('skipped', 1, waiting.shift());
      else if (state !== 'ready' || unanswered.size >= CONFIG.outstanding) return;
      else send(waiting.shift());
    }
  }

  function comeDueUntil(at) {
    while (dueMs(nextDue) <= at) {
      comeDue(nextDue, at);
      nextDue = schedule();
    }
  }

  function wake() {
    const at = now();
    comeDueUntil(at);
    for (const [seq, { due, sent }] of unanswered) {
      if (at - sent <= TIMEOUT_MS) break;
      if (unanswered.size >= CONFIG.outstanding) ableAt = at;
      unanswered.delete(seq);
      late.add(seq);
      intents.missed('timedOut', 1, due);
    }
    pump();
    if (at - meter.told >= 1000) tellMeter(at);
    arm();
  }

  // One timer for whatever comes next: something due, too late or unanswered for too long, or the end.
  function arm() {
    if (state === 'over') return;
    const drained = nextDue === NEVER && unanswered.size === 0 && waiting.length === 0;
    let at = Math.min(dueMs(nextDue), DRAIN_END_MS);
    if (waiting.length > 0) at = Math.min(at, dueMs(waiting[0]) + SKIP_AFTER_MS + 1);
    for (const { sent } of unanswered.values()) {
      at = Math.min(at, sent + TIMEOUT_MS + 1);
      break;
    }
    if (drained) at = Math.min(at, END_MS);
    const t = now();
    if (t >= DRAIN_END_MS || (drained && t >= END_MS)) return finish();
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(wake, Math.max(0, at - t));
  }

  function tellMeter(at) {
    if (meter.framesIn > 0) framesIn.add(meter.framesIn);
    if (meter.bytesIn > 0) bytesIn.add(meter.bytesIn);
    if (meter.bytesOut > 0) bytesOut.add(meter.bytesOut);
    meter.framesIn = meter.bytesIn = meter.bytesOut = 0;
    meter.told = at;
  }

  function finish() {
    comeDueUntil(now());
    const wasReady = state === 'ready';
    state = 'over';
    if (timer !== null) clearTimeout(timer);
    for (const { due } of unanswered.values()) intents.missed('unfinished', 1, due);
    for (const due of waiting) intents.missed('skipped', 1, due);
    tellMeter(now());
    if (wasReady) leftAtEnd.add(1);
    hangUp(socket);
    if (!UNDER_CAPBENCH) return;
    const books = [[id, book.base, book.last, book.ackedN, book.ackedSum, book.ackedMax, told]];
    console.log(JSON.stringify({ books, hash: hash.words(), complaints: Array.from(complaints) }));
  }
}
`;
