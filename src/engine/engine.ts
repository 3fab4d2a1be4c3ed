// The engine: holds what is open and answers questions about it. No DOM, no React, no message ports.
import { writeSessionLines } from '../session/write.ts';
import { cutSlices } from '../timeline/axis/slice.ts';
import { decodeText, getInfo, structures } from './answers/buffers.ts';
import { compareDocument } from './answers/comparison.ts';
import { conflictList } from './answers/conflict-list.ts';
import { difference, eventRows } from './answers/event-rows.ts';
import { findEverything } from './answers/find.ts';
import { compareSelected, fitIn, guestSizes, holesIn } from './answers/questions.ts';
import { sourceText } from './answers/source-text.ts';
import { type EngineDocument, isEmpty, moveTo, statesOf } from './documents/document.ts';
import { documentNode } from './documents/document-node.ts';
import { inputOf, readDocument } from './documents/read-document.ts';
import { follow } from './live/follow.ts';
import type { LiveConnection, OpenSocket } from './live/live.ts';
import { Picture } from './picture/picture.ts';
import { selectedHosts, spacesFor } from './picture/spaces.ts';
import type { Handlers } from './protocol/methods.ts';
import { failure, success } from './protocol/result.ts';

/** Lines of a refused file that an error shows. */
const SAMPLES_MAX = 5;

/** Creates an engine with the given documents open. */
export function createEngine(open: readonly EngineDocument[] = [], openSocket?: OpenSocket): Handlers {
  const documents = new Map(open.map((document) => [document.id, document]));
  /** Connections of the live hosts among them. */
  const links = new Map<string, LiveConnection>();
  let picture = new Picture(0, [], { scale: 'linear' }, []);

  const unknownDocument = (id: string) => failure('unknown-document', `no open document "${id}"`);

  /** Answers for a document, or fails if there is none with this id. */
  function withDocument<T>(id: string, answer: (document: EngineDocument) => T): T | ReturnType<typeof failure> {
    const document = documents.get(id);
    return document ? answer(document) : unknownDocument(id);
  }

  return {
    async open({ id, title, files }, context) {
      const document = await readDocument(id, title, files.map(inputOf), context, files);
      if (isEmpty(document)) {
        const samples = document.sources.flatMap((s) => s.samples).slice(0, SAMPLES_MAX);
        const first = document.diagnostics.find((d) => d.severity === 'error') ?? document.diagnostics[0];
        return failure('not-recognized', first?.message ?? 'no known format recognized', { samples });
      }
      documents.set(id, document);
      return success(documentNode(document));
    },
    async live(params, context) {
      const problem = await follow(params, documents, links, context, openSocket);
      return problem === undefined ? success(null) : failure('unusable', problem);
    },
    askLive({ id, what }) {
      const link = links.get(id);
      if (!link) return unknownDocument(id);
      link.ask(what);
      return success(null);
    },
    close: ({ id }) => (documents.delete(id) ? success(null) : unknownDocument(id)),
    documents: () => success([...documents.values()].map(documentNode)),
    run: ({ id, model }) =>
      withDocument(id, async (document) => {
        const made = await statesOf(document.session, model);
        if (!made.states) return failure('unusable', made.message ?? `model "${model}" cannot run this session`);
        document.states = made.states;
        document.model = made.model;
        return success(documentNode(document));
      }),
    seek: ({ id, position, follow: isFollowing }) =>
      withDocument(id, (document) => {
        moveTo(document, position, isFollowing);
        return success(documentNode(document));
      }),
    difference: ({ id, from, to }) => withDocument(id, ({ session }) => success(difference(session.events, from, to))),
    async arrange(params) {
      const spaces = await spacesFor(documents, params);
      picture = new Picture(picture.arrangement.revision + 1, spaces, params, documents.values());
      return success(picture.arrangement);
    },
    slice({ revision, window }) {
      const { arrangement, spaces } = picture;
      if (arrangement.revision !== revision) return failure('outdated', 'the picture has changed since');
      return success(cutSlices(spaces, arrangement.scale, window));
    },
    describe(target) {
      const detail = picture.describe(target);
      return detail ? success(detail) : failure('no-such-range', 'this range is no longer in the picture');
    },
    step: (params) => success(picture.step(params)),
    table: (params) => success(picture.table(params)),
    find: ({ text, limit }) => success(findEverything(picture.lanes, documents.values(), text, limit)),
    conflicts: (params) => success(conflictList(documents, params)),
    fit: (params) => success(fitIn(picture.spaces, params)),
    holes: ({ alignments }) => success(holesIn(picture.spaces, alignments)),
    guestSizes: ({ machine, selectedGroups }) => guestSizes(selectedHosts(documents, new Set(selectedGroups)), machine),
    compareHosts: ({ selectedGroups }) => compareSelected(selectedHosts(documents, new Set(selectedGroups))),
    text: (params, { signal }) => withDocument(params.id, (document) => sourceText(document, params, signal)),
    locate: ({ id, position }) => withDocument(id, (document) => success(picture.locate(document, position))),
    bounds: (params) => success(picture.bounds(params)),
    events: ({ id, offset, limit }) => withDocument(id, (document) => success(eventRows(document, offset, limit))),
    async models() {
      const { MODEL_NAMES } = await import('../kernel/models.ts');
      return success(MODEL_NAMES);
    },
    compare: (params) => withDocument(params.id, (document) => compareDocument(document, params)),
    structures,
    decode: ({ text, struct }) => decodeText(text, struct),
    getInfo: ({ id, container }) => withDocument(id, (document) => getInfo(document, container)),
    save: ({ id }) =>
      withDocument(id, ({ session }) =>
        success(new Blob([...writeSessionLines(session)], { type: 'application/jsonl' })),
      ),
  };
}
