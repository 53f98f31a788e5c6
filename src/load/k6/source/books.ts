/** What the script keeps for capbench: who used and was acknowledged which numbers, and what was due; as JavaScript. */
export const BOOKS_SOURCE = `
// --- The books ----------------------------------------------------------------------------------------------------
// Each player and each monster numbers what it sends. What was acknowledged has to be in the world's rows.

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

// What capbench reads of it; "told" is 1 + the place in which the server last said a player to be, 0 where it did not.
const pageOf = (id, { base, last, top, gaps }, told) => [id, base, last, told, top].concat(gaps.flat());

const monsterAt = ({ first }, place) => first + CONFIG.lanes * place;

// The book of a monster, all of whose numbers are acknowledged but the missing ones.
function bookWithout(base, last, missing) {
  const book = openBook(base);
  const unacked = new Set(missing);
  for (let seq = base + 1; seq <= last; seq++) if (!unacked.has(seq)) acknowledge(book, seq);
  book.last = last;
  return book;
}

// The hash of a lane's first posts, which are drawn once more: meanwhile it would take as long as all the rest.
function hashOfPosts(lane, owned, posts) {
  const schedule = laneSchedule(CONFIG, lane);
  const content = laneContent(CONFIG, lane, owned);
  const hash = scheduleHash();
  const planned = new Map(); // monster -> its commands until now
  for (let post = 0; post < posts; post++) {
    const due = schedule();
    const { server, places } = content();
    for (let k = 0; k < places.length; k++) {
      const monster = monsterAt(owned[server], places[k]);
      const sequence = (planned.get(monster) || 0) + 1;
      planned.set(monster, sequence);
      hash.add(1, CONFIG.players + monster, sequence, due);
    }
  }
  return hash;
}

// What capbench wants to know at a virtual user's end, as one line of JSON.
function tellBooks(books, hash, complaints) {
  console.log(JSON.stringify({ books, hash: hash.words(), complaints: Array.from(complaints) }));
}
`;
