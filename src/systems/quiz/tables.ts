import type { EndedMatch } from './match.ts';
import { scoreOf, winnerOf } from './match.ts';

export const ANSWERS_TABLE = 'match_answer';

/** The tables of finished matches. `number` columns are the numbers of the players' operations. */
export const TABLES = `
  create table if not exists quiz_match (
    id bigint primary key, quiz int not null, server int not null, questions int not null, winner int
  );
  create table if not exists match_player (
    match_id bigint not null, player int not null, entry_number int not null, ready_number int not null,
    score int not null, primary key (match_id, player)
  );
  create table if not exists ${ANSWERS_TABLE} (
    match_id bigint not null, player int not null, question int not null, choice int not null,
    number int not null, time_spent int not null, primary key (match_id, player, question)
  )`;

/** A statement and its values. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

const insert = (table: string, columns: readonly (readonly [name: string, type: string])[]) => {
  const names = columns.map(([name]) => name).join(', ');
  const arrays = columns.map(([, type], i) => `$${i + 1}::${type}[]`).join(', ');
  return (rows: readonly (readonly unknown[])[]): Statement => ({
    text: `insert into ${table} (${names}) select * from unnest(${arrays}) on conflict do nothing`,
    values: columns.map((_, column) => rows.map((row) => row[column])),
  });
};

const insertMatches = insert('quiz_match', [
  ['id', 'bigint'],
  ['quiz', 'int'],
  ['server', 'int'],
  ['questions', 'int'],
  ['winner', 'int'],
]);
const insertPlayers = insert('match_player', [
  ['match_id', 'bigint'],
  ['player', 'int'],
  ['entry_number', 'int'],
  ['ready_number', 'int'],
  ['score', 'int'],
]);
const insertAnswers = insert(ANSWERS_TABLE, [
  ['match_id', 'bigint'],
  ['player', 'int'],
  ['question', 'int'],
  ['choice', 'int'],
  ['number', 'int'],
  ['time_spent', 'int'],
]);

/** The statements of one transaction that writes these matches. A match that is there already stays as it is. */
export function statementsOf(ended: readonly EndedMatch[]): readonly Statement[] {
  const scored = ended.map((match) => ({
    match,
    scores: match.seats.map((seat) => ({ player: seat.player, score: scoreOf(match, seat) })),
  }));
  return [
    insertMatches(
      scored.map(({ match: { id, quiz, server, questions }, scores }) => [
        ...[id, quiz, server, questions],
        winnerOf(scores),
      ]),
    ),
    insertPlayers(
      scored.flatMap(({ match: { id, seats }, scores }) =>
        seats.map(({ player, entry, ready }, i) => [id, player, entry, ready, scores[i]?.score]),
      ),
    ),
    insertAnswers(
      ended.flatMap(({ id, seats }) =>
        seats.flatMap(({ player, answers }) =>
          answers.map((answer, question) => [
            ...[id, player, question],
            ...[answer?.choice, answer?.number, answer?.timeSpent],
          ]),
        ),
      ),
    ),
  ];
}

/** Rows of one match: itself, its players, their answers. */
export const rowsOf = ({ seats, questions }: Pick<EndedMatch, 'seats' | 'questions'>): number =>
  1 + seats.length * (1 + questions);

/** The scores of a finished match: player, score. */
export const RESULTS_OF = 'select player, score from match_player where match_id = $1 order by player';
