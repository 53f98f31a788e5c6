import { serveWorld } from '../../../server/frame.ts';
import { readConfig } from './config.ts';
import { openMatchServer } from './match-server.ts';

/** The first process of a quiz server. */
await serveWorld((env, own) => openMatchServer(readConfig(env), own));
