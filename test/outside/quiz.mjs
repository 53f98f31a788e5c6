// A quiz for two over Socket.IO, as a stand-in for a server that capbench did not write:
//   PORT=8080 node test/outside/quiz.mjs
//
// authenticate -> authenticated; create_friend_match -> friend_match_created with a code; join_match by that code ->
// match_joined; player_ready of both -> match_started with the first question; submit_answer -> answer_result; when
// both have answered, next_question or match_completed. Nothing is on a timer. GET /health, /metrics.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const QUESTIONS = Number(process.env.QUESTIONS ?? 10);
const OPTIONS = 4;

const counts = { created: 0, joined: 0, ready: 0, answers: 0, completed: 0, errors: 0 };
const matches = new Map();
const codes = new Map();

const server = createServer((request, response) => {
  if (request.url === '/health') return response.end(JSON.stringify({ status: 'ok', matches: matches.size }));
  if (request.url !== '/metrics') return response.writeHead(404).end();
  const lines = Object.entries(counts).map(
    ([name, value]) => `# TYPE quiz_${name}_total counter\nquiz_${name}_total ${value}\n`,
  );
  response.setHeader('content-type', 'text/plain; version=0.0.4');
  response.end(`${lines.join('')}# TYPE quiz_matches gauge\nquiz_matches ${matches.size}\n`);
});

/** The question that a match is at, without its answer. */
const questionOf = ({ id, index }) => ({
  question: { id: `${id}:${index}`, text: `What is ${index} + ${index}?`, options: OPTIONS },
  questionIndex: index,
  totalQuestions: QUESTIONS,
});

class Player {
  user = null;
  match = null;
  isReady = false;
  hasAnswered = false;
  score = 0;

  constructor(socket) {
    this.socket = socket;
  }

  get opponent() {
    return this.match?.players.find((player) => player !== this) ?? null;
  }

  authenticate({ userId, username } = {}) {
    if (userId === undefined) return this.socket.emit('auth_error', { message: 'userId is missing' });
    this.user = { id: userId, username };
    this.socket.emit('authenticated', { user: this.user });
  }

  create_friend_match() {
    if (this.match !== null) return this.refuse('you are in a match');
    counts.created += 1;
    const id = `m${counts.created}`;
    const joinCode = id.toUpperCase();
    this.enter({ id, joinCode, index: 0, players: [] });
    matches.set(id, this.match);
    codes.set(joinCode, this.match);
    this.socket.emit('friend_match_created', { matchId: id, joinCode });
  }

  join_match({ joinCode } = {}) {
    const match = codes.get(joinCode);
    if (this.match !== null) return this.refuse('you are in a match');
    if (match === undefined) return this.refuse('no match has this code');
    counts.joined += 1;
    codes.delete(joinCode);
    this.enter(match);
    const players = match.players.map(({ user }) => user);
    this.socket.emit('match_joined', { matchId: match.id, players });
    this.all('player_list_updated', { players });
  }

  player_ready({ ready } = {}) {
    if (this.match === null || this.isReady || ready !== true)
      return this.refuse('there is no match to be ready for');
    counts.ready += 1;
    this.isReady = true;
    this.all('player_ready', { userId: this.user.id });
    if (this.opponent?.isReady) this.all('match_started', questionOf(this.match));
  }

  submit_answer({ questionId, selectedOptions } = {}) {
    if (!this.opponent?.isReady || this.hasAnswered || questionId !== questionOf(this.match).question.id)
      return this.refuse('this question is not open');
    counts.answers += 1;
    this.hasAnswered = true;
    const correct = (this.match.index * 2) % OPTIONS;
    const isCorrect = selectedOptions?.[0] === correct;
    this.score += isCorrect ? 10 : 0;
    this.socket.emit('answer_result', {
      ...{
        questionId,
        isCorrect,
        points: isCorrect ? 10 : 0,
        correctOptions: [correct],
        totalScore: this.score,
      },
    });
    if (this.opponent.hasAnswered) return this.next();
    this.socket.emit('waiting_for_opponent');
    this.opponent.socket.emit('opponent_submitted', { userId: this.user.id });
  }

  /** Both have answered. */
  next() {
    const { match } = this;
    match.index += 1;
    for (const player of match.players) player.hasAnswered = false;
    if (match.index < QUESTIONS) return this.all('next_question', questionOf(match));
    counts.completed += 1;
    const results = match.players.map(({ user, score }) => ({ userId: user.id, score }));
    const [best, second] = results.toSorted((a, b) => b.score - a.score);
    this.all('match_completed', {
      matchId: match.id,
      results,
      winner: best.score > second.score ? best.userId : null,
    });
    this.dissolve();
  }

  enter(match) {
    this.match = match;
    this.score = 0;
    match.players.push(this);
  }

  dissolve() {
    const { match } = this;
    matches.delete(match.id);
    codes.delete(match.joinCode);
    for (const player of match.players) {
      player.match = null;
      player.isReady = false;
      player.hasAnswered = false;
    }
  }

  left() {
    if (this.match === null) return;
    this.opponent?.socket.emit('player_disconnected', { userId: this.user?.id });
    this.dissolve();
  }

  all(event, what) {
    for (const { socket } of this.match.players) socket.emit(event, what);
  }

  refuse(message) {
    counts.errors += 1;
    this.socket.emit('error', { message });
  }
}

const EVENTS = ['create_friend_match', 'join_match', 'player_ready', 'submit_answer'];

const io = new Server(server);
io.on('connection', (socket) => {
  const player = new Player(socket);
  socket.on('authenticate', (what) => player.authenticate(what));
  for (const event of EVENTS)
    socket.on(event, (what) =>
      player.user === null ? player.refuse('authenticate first') : player[event](what),
    );
  socket.on('disconnect', () => player.left());
});

process.on('SIGTERM', () => {
  io.close(() => process.exit(0));
});
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  process.stdout.write(`quiz: http://127.0.0.1:${server.address().port}\n`);
});
