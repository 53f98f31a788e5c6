import { expect, test } from 'vitest';
import { Cookies } from '../../../src/systems/own/cookies.ts';
import { headersOf } from '../../../src/systems/own/login.ts';

test('a cookie is kept, replaced and taken back', () => {
  const cookies = new Cookies();
  expect(cookies.take(undefined)).toBe(false);
  expect(cookies.take(['sid=a=b; Path=/; HttpOnly', 'lang=en', '=nothing'])).toBe(true);
  expect(cookies.text).toBe('sid=a=b; lang=en');
  expect(cookies.take('sid=a=b; Max-Age=100')).toBe(false);
  expect(cookies.take(['sid=c', 'lang=; Expires=Thu, 01 Jan 1970 00:00:00 GMT'])).toBe(true);
  expect(cookies.text).toBe('sid=c');
  expect(cookies.take('sid=; Max-Age=0')).toBe(true);
  expect(cookies.isEmpty).toBe(true);
});

test("a session's cookies are added to those of the user, and its token replaces the user's", () => {
  const route = { url: 'http://127.0.0.1', source: null };
  const headers = { Cookie: 'lb=2', Authorization: 'Bearer old', 'x-realm': 'test' };
  const cookies = new Cookies();
  expect(headersOf({ ...route, headers }, { cookies, token: null })).toEqual(headers);
  cookies.take('sid=1');
  expect(headersOf({ ...route, headers }, { cookies, token: 'new' })).toEqual({
    ...{ cookie: 'lb=2; sid=1', authorization: 'Bearer new', 'x-realm': 'test' },
  });
  expect(headersOf(route, { cookies, token: null })).toEqual({ cookie: 'sid=1' });
});
