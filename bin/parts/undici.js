// What capbench uses of undici. Its index also loads fetch, caches and mocks, which takes three times as long and is
// paid by every load worker. `request` is the index's own, without what capbench does not pass.
import api from 'undici/lib/api/index.js';
import buildConnector from 'undici/lib/core/connect.js';
import errors from 'undici/lib/core/errors.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import Client from 'undici/lib/dispatcher/client.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import { getGlobalDispatcher } from 'undici/lib/global.js';

Object.assign(Dispatcher.prototype, api);

export function request(url, { dispatcher = getGlobalDispatcher(), method = 'GET', ...more } = {}) {
  const { origin, pathname, search } = new URL(url);
  return api.request.call(dispatcher, { ...more, method, origin, path: `${pathname}${search}` });
}
export { Agent, buildConnector, Client, errors, Pool };
