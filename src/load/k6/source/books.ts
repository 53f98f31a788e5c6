/** What the script keeps for capbench: who used and was acknowledged which numbers, and what was due; as JavaScript. */
export const BOOKS_SOURCE = `
// --- The books ----------------------------------------------------------------------------------------------------
// Each player and each monster numbers what it sends. What was acknowledged has to be in the world's rows.

// The book of one entity: the numbers that it used, and those that were acknowledged.
function openBook(lastSeq) {
  return { base: lastSeq, last: lastSeq, ackedN: 0, ackedSum: 0, ackedMax: 0 };
}
function acknowledge(book, seq) {
  book.ackedN += 1;
  book.ackedSum += seq;
  if (seq > book.ackedMax) book.ackedMax = seq;
}

const monsterAt = ({ first }, place) => first + CONFIG.lanes * place;

// The book of a monster, all of whose numbers are acknowledged but the missing ones.
function bookWithout(id, base, last, missing) {
  const n = last - base - missing.length;
  const sum = missing.reduce((rest, seq) => rest - seq, (last * (last + 1) - base * (base + 1)) / 2);
  let max = last;
  while (missing.includes(max)) max -= 1;
  return [id, base, last, n, sum, n > 0 ? max : 0, 0];
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

// What capbench wants to know at a virtual user's end, as one line of JSON. A book is
// [id, last number before, last number used, acknowledged: how many, their sum, the highest; 1 + place].
function tellBooks(books, hash, complaints) {
  console.log(JSON.stringify({ books, hash: hash.words(), complaints: Array.from(complaints) }));
}
`;
