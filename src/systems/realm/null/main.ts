import { listen, serve } from '../../../supervision/server-process.ts';
import { nullRealm } from './server.ts';

/**
 * The process of one null server, which does no work and so measures the limit of the load generator itself. It reads HOST, PORT
 * and TOKEN.
 */
await serve(async (host) => ({ port: await listen(nullRealm({ token: process.env.TOKEN ?? '' }), host) }));
