// The engine: holds the case and answers questions about it. No DOM, no React, no message ports.
import { loadLaterDiagnostics } from '../dumps/diagnostics.ts';
import { cutSlices } from '../timeline/axis/slice.ts';
import { caseNode } from './case/case-node.ts';
import { type CaseResult, OpenCase } from './case/open-case.ts';
import { isEmptySource, readSources, unreadNames } from './case/source.ts';
import { type EngineDocument, moveTo } from './documents/document.ts';
import { documentNode } from './documents/document-node.ts';
import { inputOf } from './documents/read-document.ts';
import type { LiveConnection, OpenSocket } from './live/live.ts';
import { loadPart } from './load-part.ts';
import { Picture } from './picture/picture.ts';
import { selectedHosts, spacesFor } from './picture/spaces.ts';
import type { Answered, Trial } from './protocol/answers.ts';
import type { InputFile } from './protocol/documents.ts';
import type { Handlers } from './protocol/methods.ts';
import { failure, success } from './protocol/result.ts';

// The first picture needs none of these: each is loaded when it is used.
const partAnswer = loadPart(() => import('./answers/answer.ts'));
const partBuffers = loadPart(() => import('./answers/buffers.ts'));
const partComparison = loadPart(() => import('./answers/comparison.ts'));
const partConceal = loadPart(() => import('./documents/conceal.ts'));
const partConflicts = loadPart(() => import('./answers/conflict-list.ts'));
const partDecision = loadPart(() => import('./answers/decision.ts'));
const partDefinedGuests = loadPart(() => import('./answers/defined-guests.ts'));
const partEvents = loadPart(() => import('./answers/event-rows.ts'));
const partEventList = loadPart(() => import('./answers/event-list.ts'));
const partFind = loadPart(() => import('./answers/find.ts'));
const partHostTable = loadPart(() => import('./answers/host-table.ts'));
const partMembers = loadPart(() => import('./case/members.ts'));
const partLessons = loadPart(() => import('./answers/lessons.ts'));
const partModels = loadPart(() => import('../kernel/models.ts'));
const partOperationLine = loadPart(() => import('./answers/operation-line.ts'));
const partNotRecognized = loadPart(() => import('./case/not-recognized.ts'));
const partNotes = loadPart(() => import('./case/hand-facts.ts'));
const partQuestions = loadPart(() => import('./answers/questions.ts'));
const partRanges = loadPart(() => import('./picture/ranges.ts'));
const partText = loadPart(() => import('./answers/source-text.ts'));
const partTextReport = loadPart(() => import('./answers/text-report.ts'));
const partSavedCase = loadPart(() => import('./case/saved-case.ts'));
const partShare = loadPart(() => import('./share/share.ts'));
const partLive = loadPart(async () => {
  // An agent passes diagnostics of any format on.
  const [part] = await Promise.all([import('./live/follow.ts'), loadLaterDiagnostics()]);
  return part;
});
const partAllocator = loadPart(() => import('./answers/allocator.ts'));
const partStates = loadPart(() => import('./documents/model-states.ts'));
const partVersions = loadPart(() => import('./answers/versions.ts'));
const partWrite = loadPart(() => import('../session/write.ts'));

/** Creates an engine with the given documents and an empty case. */
export function createEngine(open: readonly EngineDocument[] = [], openSocket?: OpenSocket): Handlers {
  /** Connections of the live hosts. */
  const links = new Map<string, LiveConnection>();
  const current = new OpenCase(open, { onLeft: (sourceId) => links.get(sourceId)?.stop() });
  /** Files for the next opening. */
  let staged: InputFile[] = [];
  let picture = new Picture(0, [], { scale: 'linear' }, []);

  const unknownDocument = (id: string) => failure('unknown-document', `no open document "${id}"`);

  /** Calls `answer` with a document, or fails if there is none with this id. */
  function withDocument<T>(id: string, answer: (document: EngineDocument) => T): T | ReturnType<typeof failure> {
    const document = current.documents.get(id);
    return document ? answer(document) : unknownDocument(id);
  }

  /** The case after a change, or why it was not made. */
  function changed(result: CaseResult) {
    return result.ok ? success(caseNode(current)) : failure('unusable', result.message);
  }

  /** Runs sessions by the rules of the case's kernel. */
  async function runSessions(): Promise<void> {
    const documents = [...current.documents.values()];
    if (documents.some(({ kind }) => kind === 'session')) {
      await (await partStates()).runUnder(documents, current.choices.kernel);
    }
  }

  /** The same for a change that may affect the kernel: sessions are run again by its rules. */
  async function changedKernel(result: CaseResult) {
    await runSessions();
    return changed(result);
  }

  async function answerTo(trial: Trial): Promise<Answered> {
    const { answerFor } = await partAnswer();
    return answerFor(current.documents, trial, current.sources.flatMap(unreadNames));
  }

  return {
    stage({ files, isFirst }) {
      if (isFirst) staged = [];
      staged.push(...files);
      return success(null);
    },
    async open({ id, title, files: given, isStaged, sample }, context) {
      const files = isStaged ? [...staged, ...given] : given;
      staged = [];
      const total = files.reduce((sum, { data }) => sum + data.size, 0);
      const read = await readSources(
        files.map((file) => ({ input: inputOf(file), file })),
        {
          context,
          sample,
          total,
          isFolding: true,
          into: current,
        },
      );
      if (read.every(isEmptySource)) return (await partNotRecognized()).notRecognized(title, read);
      const placements = current.add(read, { id });
      await runSessions();
      return success({ placements, case: caseNode(current) });
    },
    closeSource: ({ sourceId }) => changed(current.close(sourceId)),
    members: async (params) => success((await partMembers()).membersOf(current, params)),
    openMember: async (params, context) =>
      changedKernel(await (await partMembers()).openMember(current, params, context)),
    moveSource: ({ sourceId, to }) => changed(current.move(sourceId, to)),
    renameHost: ({ hostId, name }) => changed(current.rename(hostId, name)),
    undo: () => changedKernel(current.undo()),
    newCase() {
      current.startNew();
      return success(caseNode(current));
    },
    forget() {
      current.forget();
      return success(caseNode(current));
    },
    setDevice: ({ device, hostId }) => changed(current.setDevice(device, hostId)),
    setKernel: ({ version }) => changedKernel(current.setKernel(version ?? undefined)),
    setNote: async (params) => changedKernel(await (await partNotes()).changeNote(current, params)),
    changeFact: async (params) => changedKernel(await (await partNotes()).changeFact(current, params)),
    notes: async () => success((await partNotes()).notesOf(current.documents.values())),
    case: () => success(caseNode(current)),
    exportCase: async ({ view }) => success((await partSavedCase()).saveCase(current, view)),
    async importCase({ data }, context) {
      const { loadCase } = await partSavedCase();
      const loaded = await loadCase(data, context);
      if (typeof loaded === 'string') return failure('unusable', loaded);
      const { view, missing, disconnected } = loaded;
      if (missing.length === 0) {
        current.restore(loaded.sources, loaded.hosts, loaded);
        await runSessions();
        await (await partStates()).restoreMoments(current.documents, loaded.moments);
      }
      return success({ case: caseNode(current), view, missing, disconnected });
    },
    async live(params, context) {
      // When an agent ends, so does the page's server: these are loaded now, so that received facts can still be exported
      // and inspected.
      void Promise.all([partShare(), partRanges()]).catch(() => undefined);
      const { follow } = await partLive();
      const problem = await follow(params, current, links, context, openSocket);
      return problem === undefined ? success(null) : failure('unusable', problem);
    },
    askLive({ id, what }) {
      const link = links.get(id);
      if (!link) return unknownDocument(id);
      link.ask(what);
      return success(null);
    },
    close: ({ id }) => (current.documents.has(id) ? changed(current.close(id)) : unknownDocument(id)),
    documents: () => success([...current.documents.values()].map(documentNode)),
    run: ({ id, model }) =>
      withDocument(id, async (document) => {
        const problem = await (await partStates()).runWith(document, model);
        return problem === undefined ? success(documentNode(document)) : failure('unusable', problem);
      }),
    tryLine: async (params) => (await partOperationLine()).tryLine(current, params),
    changeEvents: async (params, context) => (await partOperationLine()).changeEvents(current, params, context),
    async eventLine({ id, position, direction }) {
      const { eventLine } = await partOperationLine();
      return withDocument(id, (document) => success(eventLine(document, position, direction)));
    },
    seek: ({ id, position, follow: isFollowing }) =>
      withDocument(id, (document) => {
        moveTo(document, position, isFollowing);
        return success(documentNode(document));
      }),
    async conceal({ id, from }) {
      const { conceal } = await partConceal();
      return withDocument(id, (document) => {
        conceal(document, from);
        return success(documentNode(document));
      });
    },
    readLesson: async ({ text }) => success((await partLessons()).openLesson(text)),
    async judge({ id, ...params }) {
      const { judgeIn } = await partLessons();
      return withDocument(id, (document) => judgeIn(document, params));
    },
    async recordLesson({ id, ...params }) {
      const { recordedLesson } = await partLessons();
      return withDocument(id, (document) => recordedLesson(document, params));
    },
    async difference({ id, from, to }) {
      const { difference } = await partEvents();
      return withDocument(id, ({ session }) => success(difference(session.events, from, to)));
    },
    async arrange(params) {
      const spaces = await spacesFor(current.documents, params);
      picture = new Picture(picture.arrangement.revision + 1, spaces, params, current.documents.values());
      return success(picture.arrangement);
    },
    slice({ revision, window }) {
      const { arrangement, spaces } = picture;
      if (arrangement.revision !== revision) return failure('outdated', 'the picture has changed since');
      return success(cutSlices(spaces, arrangement.scale, window));
    },
    async describe(target) {
      const { describeRange } = await partRanges();
      const detail = describeRange(picture, target);
      return detail ? success(detail) : failure('no-such-range', 'this range is no longer in the picture');
    },
    step: async (params) => success((await partRanges()).stepFrom(picture, params)),
    table: async (params) => success((await partRanges()).rangeTable(picture, params)),
    async find({ text, limit }, { signal }) {
      const { findEverything } = await partFind();
      return success(await findEverything(picture.lanes, current.documents.values(), text, limit, signal));
    },
    answer: async (params) => success(await answerTo(params)),
    conflicts: async (params) => success((await partConflicts()).conflictList(current.documents, params)),
    fit: async (params) => success((await partQuestions()).fitIn(picture.spaces, params)),
    holes: async ({ alignments }) => success((await partQuestions()).holesIn(picture.spaces, alignments)),
    async guests() {
      const { definedGuests } = await partDefinedGuests();
      return success(definedGuests(current.documents.values()));
    },
    async guestSizes({ machine, definition, selectedGroups }) {
      const { guestSizes } = await partQuestions();
      return guestSizes(selectedHosts(current.documents, new Set(selectedGroups)), machine, definition);
    },
    compareHosts: async (trial) => (await partHostTable()).hostTable(current.documents, trial),
    async text(params, { signal }) {
      const { sourceText } = await partText();
      return withDocument(params.id, (document) => sourceText(document, params, signal));
    },
    locate: ({ id, position }) =>
      withDocument(id, async (document) => {
        const { locate } = await partRanges();
        return success(locate(picture, document, position));
      }),
    bounds: async (params) => success((await partRanges()).boundsIn(picture, params)),
    events: (params, { signal }) =>
      withDocument(params.id, async (document) => {
        const { eventRows } = await partEventList();
        return success(await eventRows(document, params, signal));
      }),
    eventOverview: ({ id, filter }, { signal }) =>
      withDocument(id, async (document) => {
        const { eventOverview } = await partEventList();
        return success(await eventOverview(document, filter, signal));
      }),
    eventIndex: ({ id, filter, position }, { signal }) =>
      withDocument(id, async (document) => {
        const { eventIndex } = await partEventList();
        return success(await eventIndex(document, filter, position, signal));
      }),
    failure: ({ id, position, direction }, { signal }) =>
      withDocument(id, async (document) => {
        const { failureFrom } = await partEventList();
        return success(await failureFrom(document, position, direction, signal));
      }),
    async models() {
      const { MODEL_NAMES } = await partModels();
      return success(MODEL_NAMES);
    },
    async compare(params) {
      const { compareDocument } = await partComparison();
      return withDocument(params.id, (document) => compareDocument(document, params));
    },
    async versions(params) {
      const { sessionVersions } = await partVersions();
      return withDocument(params.id, (document) => sessionVersions(document, params));
    },
    async conflictVersions(params) {
      const { conflictVersions } = await partVersions();
      return conflictVersions(current.documents, params);
    },
    async decision({ id, position }) {
      const { decision } = await partDecision();
      return withDocument(id, (document) => success(decision(document, position)));
    },
    nextDma: async (params) => (await partAllocator()).nextDma(current.documents, params),
    structures: async () => (await partBuffers()).structures(),
    decode: async ({ text, struct }) => (await partBuffers()).decodeText(text, struct),
    async getInfo({ id, container }) {
      const { getInfo } = await partBuffers();
      return withDocument(id, (document) => getInfo(document, container));
    },
    async textReport(params) {
      const [answered, { textReport }] = await Promise.all([answerTo(params), partTextReport()]);
      const { arrangement, spaces } = picture;
      const documents = [...current.documents.values()];
      return success(textReport({ ...params, arrangement, spaces, answered, documents }));
    },
    async share(params) {
      const { share } = await partShare();
      const { documents, choices } = current;
      return success(await share({ documents, choices, open: createEngine }, params));
    },
    async save({ id }) {
      const { writeSessionLines } = await partWrite();
      return withDocument(id, ({ session }) =>
        success(new Blob([...writeSessionLines(session)], { type: 'application/jsonl' })),
      );
    },
  };
}
