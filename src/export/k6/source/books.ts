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
