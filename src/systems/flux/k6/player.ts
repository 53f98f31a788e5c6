/** One virtual user that plays a block of players, as JavaScript. */
export const PLAYER_SOURCE = `
// --- Players: one virtual user for a block of them, and a WebSocket for each --------------------------------------------
// A player connects, waits for GO, sends what its schedule says, and keeps at most "outstanding" intents unanswered. What
// is due meanwhile waits, and is skipped once it is "skipAfter" late. A player whose connection ends does not come back:
// everything that comes due for it has failed.

const intents = OPERATIONS.intent;

// Beyond so many, frames of events are read although nobody needs to know.
const MOST_UNREAD = 100;
const ONLY_EVENTS = '{"events":';

export function players(data) {
  const first = exec.scenario.iterationInTest * CONFIG.playersPerUser;
  const end = Math.min(first + CONFIG.playersPerUser, CONFIG.players);
  const user = {
    hash: scheduleHash(),
    complaints: new Set(),
    books: [],
    playing: end - first,
    bytesIn: 0,
    bytesOut: 0,
    framesIn: 0,
    toldAt: 0,
  };
  for (let id = first; id < end; id++) play(id, data, user);
}

function tellTraffic(user, at) {
  if (user.framesIn > 0) framesIn.add(user.framesIn);
  if (user.bytesIn > 0) bytesIn.add(user.bytesIn);
  if (user.bytesOut > 0) bytesOut.add(user.bytesOut);
  user.framesIn = user.bytesIn = user.bytesOut = 0;
  user.toldAt = at;
}

function play(id, data, user) {
  const world = data.worlds.find(({ players }) => id >= players.from && id < players.to);
  const schedule = playerSchedule(CONFIG, id);
  const voice = playerVoice(CONFIG, id, catchUp);
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
  let unread = []; // frames of events that nobody has needed yet
  let timer = null;
  let began = 0;
  let attempts = 0;

  setTimeout(() => {
    began = Date.now();
    connect();
    arm();
  }, Math.max(0, data.connectFrom + (id / CONFIG.connectsPerSecond) * 1000 - Date.now()));

  function connect() {
    if (world === undefined) return refuse('no world server owns this player');
    const own = new WebSocket(world.url.replace(/^http/, 'ws') + '/play?player=' + id, null, {
      headers: HEADERS,
    });
    socket = own;
    own.onopen = () => {
      if (own !== socket || state !== 'connecting') own.close();
      else setTimeout(() => tryAgain(own, 'no welcome'), WELCOME_MS);
    };
    own.onmessage = (message) => {
      if (own !== socket || state === 'over' || state === 'lost') return;
      if (state !== 'connecting') return hear(message.data);
      const frame = readFrame(message.data);
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
    user.complaints.add('a player could not connect: ' + why);
    giveUp();
  }

  function lose(own, why) {
    if (own !== socket || state === 'lost' || state === 'over') return;
    if (state === 'connecting') return tryAgain(own, why);
    disconnects.add(1);
    user.complaints.add("a player's connection: " + why);
    giveUp();
  }

  function giveUp() {
    state = 'lost';
    for (const { due } of unanswered.values()) intents.missed('failed', 1, due);
    unanswered.clear();
    for (const due of waiting) intents.missed('failedUnsent', 1, due);
    waiting = [];
    hangUp(socket);
    arm();
  }

  function hear(text) {
    user.framesIn += 1;
    user.bytesIn += frameBytes(text.length);
    // Most frames tell of others, and reading them is most of the work: it waits until the player asks who is there.
    if (text.startsWith(ONLY_EVENTS)) {
      unread.push(text);
      if (unread.length >= MOST_UNREAD) catchUp();
      return;
    }
    const frame = readFrame(text);
    if (frame === null || !isList(frame.acks) || !isList(frame.events)) return garbage();
    const at = now();
    const acks = frame.acks || [];
    for (let k = 0; k < acks.length; k++) {
      const ack = acks[k];
      if (ack.place !== undefined) {
        // Who is there now is told here, and what happened before no longer matters.
        if (Array.isArray(ack.present)) unread = [];
        voice.see(ack);
        told = 1 + ack.place;
      }
      answer(ack, at);
    }
    if (frame.events !== undefined) {
      catchUp();
      for (const event of frame.events) voice.hear(event);
    }
    if (waiting.length > 0) pump();
    if (nextDue === NEVER) arm();
  }

  function catchUp() {
    const texts = unread;
    unread = [];
    for (const text of texts) {
      const frame = readFrame(text);
      if (frame === null || !Array.isArray(frame.events)) return garbage();
      for (const event of frame.events) voice.hear(event);
    }
  }

  function garbage() {
    strayAnswers.add(1);
    lose(socket, 'a world server sent a player a frame that is not of the protocol');
  }

  function answer(ack, at) {
    const asked = unanswered.get(ack.seq);
    if (asked === undefined) {
      if (late.delete(ack.seq)) return acknowledge(book, ack.seq);
      strayAnswers.add(1);
      user.complaints.add('a world server acknowledged a sequence number that was not waiting for an answer');
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
    if (UNDER_CAPBENCH) user.hash.add(0, id, planned, due);
    intents.scheduled(1, due);
    if (state === 'lost') return intents.missed('failedUnsent', 1, due);
    const able = state === 'ready' && waiting.length === 0 && unanswered.size < CONFIG.outstanding;
    if (at - dueMs(due) > SKIP_AFTER_MS) {
      if (able) intents.late(due, at - Math.max(dueMs(due), ableAt));
      return intents.missed('skipped', 1, due);
    }
    if (able) send(due);
    else waiting.push(due);
  }

  function send(due) {
    const text = voice.say();
    const sent = now();
    if (state !== 'ready' || socket.readyState !== 1) return intents.missed('failedUnsent', 1, due);
    book.last += 1;
    unanswered.set(book.last, { due, sent });
    intents.late(due, sent - Math.max(dueMs(due), ableAt));
    const frame = '{"seq":' + book.last + ',"text":"' + text + '"}';
    user.bytesOut += frameBytes(frame.length) + MASK_BYTES;
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
    for (const seq of unanswered.keys()) {
      const { due, sent } = unanswered.get(seq);
      if (at - sent <= TIMEOUT_MS) break;
      if (unanswered.size >= CONFIG.outstanding) ableAt = at;
      unanswered.delete(seq);
      late.add(seq);
      intents.missed('timedOut', 1, due);
    }
    pump();
    if (at - user.toldAt >= 1000) tellTraffic(user, at);
    arm();
  }

  // One timer for whatever comes next: something due, too late or unanswered for too long, or the end.
  function arm() {
    if (state === 'over') return;
    const drained = nextDue === NEVER && unanswered.size === 0 && waiting.length === 0;
    let at = Math.min(dueMs(nextDue), DRAIN_END_MS);
    if (waiting.length > 0) at = Math.min(at, dueMs(waiting[0]) + SKIP_AFTER_MS + 1);
    if (unanswered.size > 0) at = Math.min(at, unanswered.values().next().value.sent + TIMEOUT_MS + 1);
    if (drained) at = Math.min(at, END_MS);
    const t = now();
    if (t >= DRAIN_END_MS || (drained && t >= END_MS)) return finish();
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(wake, Math.max(0, at - t));
  }

  function finish() {
    comeDueUntil(now());
    const wasReady = state === 'ready';
    state = 'over';
    if (timer !== null) clearTimeout(timer);
    for (const { due } of unanswered.values()) intents.missed('unfinished', 1, due);
    for (const due of waiting) intents.missed('skipped', 1, due);
    if (wasReady) leftAtEnd.add(1);
    hangUp(socket);
    user.books.push(pageOf(id, book, told));
    user.playing -= 1;
    if (user.playing > 0) return;
    tellTraffic(user, now());
    if (UNDER_CAPBENCH) tellBooks(user.books, user.hash, user.complaints);
  }
}
`;
