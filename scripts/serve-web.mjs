// Serves the built page to browser tests, on the port that is given. Without compression, and with the year that web servers
// give to files whose names change with their content: a tab that loads the page again does not request them.
import { createServer } from 'node:http';
import sirv from 'sirv';

const serve = sirv('dist/web', {
  etag: true,
  maxAge: 31_536_000,
  immutable: true,
  setHeaders: (response, path) => {
    if (!path.startsWith('/assets/')) response.setHeader('Cache-Control', 'no-cache');
  },
});
createServer((request, response) => serve(request, response)).listen(Number(process.argv[2]), '127.0.0.1');
