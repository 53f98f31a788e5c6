/** One virtual user that is one lane of monsters, as JavaScript. */
export const LANE_SOURCE = `
// --- A lane of monsters: one virtual user -----------------------------------------------------------------------------
// Monster commands go in posts to the world server that owns the monsters; 202 means accepted, and a WebSocket tells
// which posts have committed. A monster's numbers have to arrive in order, and k6 cannot pipeline: a lane has one post
// under way to each server, and further ones wait.

export function lane(data) {
  const own = exec.scenario.iterationInTest;
  const schedule = laneSchedule(CONFIG, own);
  const ranges = data.worlds.map(({ monsters }) => monsters);
  const content = laneContent(CONFIG, own, ranges);
  const hash = scheduleHash();
  const generator = data.run + '-lane-' + own;
  const now = () => Date.now() - data.go;
  const n = CONFIG.commandsPerPost;

  const planned = new Map(); // monster -> commands that have come due
  const books = new Map(); // monster -> its numbers
  const complaints = new Set();
  let nextDue = schedule();
  let timer = null;
  let over = false;
  let bytes = 0;
  let toldAt = 0;
  const links = nextDue === NEVER ? [] : data.worlds.map((world, server) => ({
    world,
    range: ranges[server],
    socket: null,
    state: 'connecting', // then ready; lost
    attempts: 0,
    lastSeqs: null, // the numbers that the server's monsters had used
    ableAt: -Infinity,
    underway: false,
    lastPost: 0,
    sent: new Map(), // post -> what it holds, until it is committed
    waiting: [],
  }));

  setTimeout(() => {
    for (const link of links) open(link);
    arm();
  }, Math.max(0, data.connectFrom - Date.now()));

  function open(link) {
    const own = new WebSocket(link.world.url.replace(/^http/, 'ws') + '/commits?generator=' + generator);
    link.socket = own;
    own.onopen = () => {
      if (over || own !== link.socket || link.state !== 'connecting') own.close();
      else setTimeout(() => tryAgain(link, own, 'no welcome'), WELCOME_MS);
    };
    own.onmessage = (message) => {
      if (over || own !== link.socket || link.state === 'lost') return;
      const frame = readFrame(message.data);
      if (link.state === 'connecting') {
        if (frame === null || !frame.welcome) return tryAgain(link, own, 'the first frame was no welcome');
        link.lastSeqs = frame.welcome.lastSeq || null;
        link.state = 'ready';
        lanesReady.add(1 / links.length);
        link.ableAt = now();
        pump(link);
        return;
      }
      bytes += frameBytes(message.data.length);
      if (frame === null || !Array.isArray(frame.commits)) return lose(link, own, 'a frame is not of the protocol');
      for (const [post, ok, rejected] of frame.commits) commit(link, post, ok, rejected);
      if (nextDue === NEVER) arm();
    };
    own.onerror = (error) => lose(link, own, String(error.error));
    own.onclose = (close) => lose(link, own, 'the server closed it (code ' + close.code + ')');
  }

  function tryAgain(link, own, why) {
    if (over || own !== link.socket || link.state !== 'connecting') return;
    link.attempts += 1;
    if (link.attempts >= MOST_ATTEMPTS) return giveUp(link, why);
    link.socket = null;
    hangUp(own);
    setTimeout(() => open(link), RETRY_MS);
  }

  function lose(link, own, why) {
    if (over || own !== link.socket || link.state === 'lost') return;
    if (link.state === 'connecting') return tryAgain(link, own, why);
    giveUp(link, why);
  }

  function giveUp(link, why) {
    disconnects.add(1);
    linesLost.add(1);
    complaints.add('the connection for commits: ' + link.world.url + ': ' + why);
    link.state = 'lost';
    for (const post of link.sent.values()) if (!post.settled) monsterCommands.missed('failed', n, post.due);
    link.sent.clear();
    for (const post of link.waiting) monsterCommands.missed('failed', n, post.due);
    link.waiting = [];
    hangUp(link.socket);
    arm();
  }

  function bookOf(link, monster) {
    let book = books.get(monster);
    if (book === undefined) {
      book = openBook(link.lastSeqs === null ? 0 : link.lastSeqs[monster - link.range.from]);
      books.set(monster, book);
    }
    return book;
  }

  function comeDue(due, at) {
    const { server, commands } = content();
    if (UNDER_CAPBENCH) {
      for (const { monster } of commands) {
        const sequence = (planned.get(monster) || 0) + 1;
        planned.set(monster, sequence);
        hash.add(1, CONFIG.players + monster, sequence, due);
      }
    }
    monsterCommands.scheduled(n, due);
    const link = links[server];
    if (link.state === 'lost') return monsterCommands.missed('failed', n, due);
    const able = link.state === 'ready' && !link.underway && link.waiting.length === 0;
    const post = { due, commands, sent: 0, settled: false };
    if (at - dueMs(due) > SKIP_AFTER_MS) {
      if (able) monsterCommands.late(due, at - Math.max(dueMs(due), link.ableAt));
      monsterCommands.missed('skipped', n, due);
    } else if (able) send(link, post);
    else link.waiting.push(post);
  }

  function send(link, post) {
    for (const command of post.commands) {
      const book = bookOf(link, command.monster);
      book.last += 1;
      command.seq = book.last;
    }
    const body = JSON.stringify(
      post.commands.map(({ monster, seq, text }) => [CONFIG.players + monster, seq, text]),
    );
    const number = ++link.lastPost;
    post.sent = now();
    link.sent.set(number, post);
    link.underway = true;
    monsterCommands.late(post.due, post.sent - Math.max(dueMs(post.due), link.ableAt));
    bytes += body.length;
    http
      .asyncRequest('POST', link.world.url + '/commands?generator=' + generator + '&post=' + number, body, {
        headers: { 'content-type': 'application/json' },
        tags: { name: '/commands' },
        timeout: TIMEOUT_MS + CONFIG.drainSeconds * 1000,
      })
      .then((response) => {
        link.underway = false;
        if (over || link.state === 'lost') return;
        link.ableAt = now();
        if (response.status !== 202) refuse(link, number, post, response);
        pump(link);
        if (nextDue === NEVER) arm();
      });
  }

  function refuse(link, number, post, response) {
    if (response.status === 0) return giveUp(link, 'a post: ' + response.error);
    complaints.add('a post of monster commands was answered ' + response.status + ': ' + response.body);
    // Nothing of it was applied: no commit will come.
    link.sent.delete(number);
    if (!post.settled) monsterCommands.missed('failed', n, post.due);
  }

  function commit(link, number, ok, rejected) {
    const post = link.sent.get(number);
    if (post === undefined || ok + rejected !== n) {
      strayAnswers.add(1);
      complaints.add('a world server committed a post, or a number of commands, that was not waiting for it');
      return;
    }
    const at = now();
    if (!post.settled) {
      if (at - post.sent > TIMEOUT_MS) monsterCommands.missed('timedOut', n, post.due);
      else monsterCommands.answered(n, ok, post.due, post.sent, at);
    }
    for (const { monster, seq } of post.commands) acknowledge(books.get(monster), seq);
    link.sent.delete(number);
  }

  function pump(link) {
    const at = now();
    while (link.waiting.length > 0) {
      const late = at - dueMs(link.waiting[0].due) > SKIP_AFTER_MS;
      if (late) monsterCommands.missed('skipped', n, link.waiting.shift().due);
      else if (link.state !== 'ready' || link.underway) return;
      else send(link, link.waiting.shift());
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
    for (const link of links) {
      for (const post of link.sent.values()) {
        if (at - post.sent <= TIMEOUT_MS) break;
        if (post.settled) continue;
        post.settled = true; // a commit may still come, and is then in the books
        monsterCommands.missed('timedOut', n, post.due);
      }
      pump(link);
    }
    if (at - toldAt >= 1000) tellBytes(at);
    arm();
  }

  function arm() {
    if (over) return;
    let at = Math.min(dueMs(nextDue), DRAIN_END_MS);
    let drained = nextDue === NEVER;
    for (const link of links) {
      if (link.waiting.length > 0) {
        at = Math.min(at, dueMs(link.waiting[0].due) + SKIP_AFTER_MS + 1);
        drained = false;
      }
      for (const post of link.sent.values()) {
        if (post.settled) continue;
        at = Math.min(at, post.sent + TIMEOUT_MS + 1);
        drained = false;
        break;
      }
    }
    if (drained) at = Math.min(at, END_MS);
    const t = now();
    if (t >= DRAIN_END_MS || (drained && t >= END_MS)) return finish();
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(wake, Math.max(0, at - t));
  }

  function tellBytes(at) {
    if (bytes > 0) commandBytes.add(bytes);
    bytes = 0;
    toldAt = at;
  }

  function finish() {
    comeDueUntil(now());
    over = true;
    if (timer !== null) clearTimeout(timer);
    for (const link of links) {
      for (const post of link.sent.values()) if (!post.settled) monsterCommands.missed('unfinished', n, post.due);
      for (const post of link.waiting) monsterCommands.missed('skipped', n, post.due);
      hangUp(link.socket);
    }
    tellBytes(now());
    if (!UNDER_CAPBENCH) return;
    const told = Array.from(books, ([monster, { base, last, ackedN, ackedSum, ackedMax }]) =>
      [CONFIG.players + monster, base, last, ackedN, ackedSum, ackedMax, 0]);
    console.log(JSON.stringify({ books: told, hash: hash.words(), complaints: Array.from(complaints) }));
  }
}
`;
