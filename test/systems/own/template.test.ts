import { describe, expect, test } from 'vitest';
import { bodyFill } from '../../../src/systems/own/body.ts';
import { jsonFill, namesIn, pathFill, textFill } from '../../../src/systems/own/template.ts';

const values: Readonly<Record<string, string>> = { player: '7', name: 'Zoë "Z" & co', 'env.TOKEN': 's=cret' };
const of = (name: string) => (_player: number, sequence: number) =>
  name === 'id' ? String(sequence) : (values[name] ?? '');

test('names are words in braces, and JSON has none', () => {
  expect(namesIn('/p/{player}?t={env.TOKEN}&x={}')).toEqual(['player', 'env.TOKEN']);
  expect(namesIn('{"to":{"x":1},"a":{ "b": [{}] }}')).toEqual([]);
});

test('a name in two pairs of braces stands for itself in one, in a text, in JSON and in a path', () => {
  const query = '{ me {{name}} of(id: {id}) {{id}} }';
  expect(namesIn(query)).toEqual(['id']);
  expect(textFill(query, of)(0, 3)).toBe('{ me {name} of(id: 3) {id} }');
  expect(JSON.parse(jsonFill({ query, one: '{{id}}' }, of)(0, 3))).toEqual({
    query: '{ me {name} of(id: 3) {id} }',
    one: '{id}',
  });
  expect(JSON.parse(bodyFill({ body: '{"a":"{{name}}"}' }, of)?.text(0, 1) ?? '')).toEqual({ a: '{name}' });
  expect(pathFill('/{{name}}/{id}', of)(0, 1)).toBe('/%7Bname%7D/1');
});

test('a whole value {id} or {player} is a number in JSON, other values are text, and keys stay keys', () => {
  const frame = jsonFill({ id: '{id}', to: ['{player}', 'p{player}', '{name}'], '{player}': 'ü' }, of)(0, 12);
  expect(frame).toMatch(/^[\0-\x7f]*$/);
  expect(JSON.parse(frame)).toEqual({ id: 12, to: [7, 'p7', 'Zoë "Z" & co'], 7: 'ü' });
});

test('a path is ASCII, names and what is encoded already included', () => {
  const at = (path: string) => pathFill(path, of)(0, 1);
  expect(at('/größe/{name}/{id}?q=%20ü🎲&x=1')).toBe(
    '/gr%C3%B6%C3%9Fe/Zo%C3%AB%20%22Z%22%20%26%20co/1?q=%20%C3%BC%F0%9F%8E%B2&x=1',
  );
  expect(at('/a{}/<{player}>"')).toBe('/a%7B%7D/%3C7%3E%22');
  expect(at('/\ud83c')).toBe('/%EF%BF%BD');
});

describe('bodies', () => {
  test.each([
    [{ body: '{"player":{player},"name":"{name}"}' }, { player: 7, name: 'Zoë "Z" & co' }],
    [{ body: '{"player":"{player}"}' }, { player: '7' }],
    [{ body: { player: '{player}' } }, { player: 7 }],
  ])('%j is JSON, whatever a value has in it', (given, sent) => {
    const body = bodyFill(given, of);
    expect(body?.type).toBe('application/json');
    expect(JSON.parse(body?.text(0, 1) ?? '')).toEqual(sent);
  });
  test('other text is plain, and a form is encoded', () => {
    expect(bodyFill({ body: 'hello {name}' }, of)).toMatchObject({ type: 'text/plain; charset=utf-8' });
    const form = bodyFill({ form: { user: '{name}', 'a b': '{env.TOKEN}' } }, of);
    expect(form?.type).toBe('application/x-www-form-urlencoded');
    expect(form?.text(0, 1)).toBe('user=Zo%C3%AB%20%22Z%22%20%26%20co&a%20b=s%3Dcret');
    expect(bodyFill({}, of)).toBeNull();
  });
});

test('values in a path are encoded', () => {
  expect(textFill('/p/{player}/{name}', of, encodeURIComponent)(0, 1)).toBe(
    '/p/7/Zo%C3%AB%20%22Z%22%20%26%20co',
  );
});
