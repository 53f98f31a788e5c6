/** Its table, whose rows count the numbers of the operations that reached a player's counter. */
export const TABLE = 'toy_counter';

/** What each operation adds to the counter. */
export const EFFECTS: Readonly<Record<string, number>> = { add: 1, read: 0, take: -1 };
