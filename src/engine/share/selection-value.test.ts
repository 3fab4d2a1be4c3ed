import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertProperty } from '../../iova/testing/arbitraries.ts';
import { linkFragment, parseLink } from '../../session/sharing/link.ts';
import type { DocumentNode } from '../protocol/documents.ts';
import { selectedBy, selectionValue } from './selection-value.ts';

type Selectable = Pick<DocumentNode, 'id' | 'groups' | 'spaces' | 'layers'>;

function documentOf(id: string, groups: readonly string[], layers: readonly string[] = []): Selectable {
  return {
    id,
    groups: groups.map((name) => ({
      ...{ key: `${id}/group ${name}`, name, title: `group ${name}`, type: undefined, devices: [], regions: [] },
      isSelectedByDefault: name !== '3',
    })) as unknown as DocumentNode['groups'],
    spaces: [],
    layers: layers.map((name) => ({ key: `${id}/layer ${name}`, title: name, note: '', isShown: false })),
  };
}

describe('the selection in a link', () => {
  const host = documentOf('host 1', ['0', '1', '2', '3', '10'], ['bars']);
  const other = documentOf('host 2', ['0', 'a:b']);

  test('is left out if it is what opening selects, and short otherwise', () => {
    const byDefault = ['0', '1', '2', '10'].map((name) => `host 1/group ${name}`);
    expect(selectionValue([host], byDefault)).toBeUndefined();
    expect(selectionValue([host], [...byDefault, 'host 1/group 3'])).toEqual(['0-3', '10']);
    expect(selectionValue([host], ['host 1/group 2', 'host 1/layer bars'])).toEqual(['2', 'layer bars']);
    expect(selectionValue([host, other], ['host 1/group 2', 'host 2/group a:b'])).toEqual(['1:2', '2:group a%3Ab']);
    expect(selectionValue([host], [])).toEqual(['none']);
  });

  test('selects what is there, and names what is not', () => {
    expect(selectedBy([host], ['0-2', 'layer bars'])).toEqual({
      keys: ['host 1/group 0', 'host 1/group 1', 'host 1/group 2', 'host 1/layer bars'],
      unknown: [],
    });
    expect(selectedBy([host], ['2-5', '2:0', 'x', '9-1', '0-999999999'])).toEqual({
      keys: ['host 1/group 2', 'host 1/group 3'],
      unknown: ['2-5', '2:0', 'x', '9-1', '0-999999999'],
    });
    expect(selectedBy([host], ['none'])).toEqual({ keys: [], unknown: [] });
  });

  test('comes back through a link, whatever groups are called', () => {
    const name = fc.oneof(
      fc.nat({ max: 30 }).map(String),
      fc.constantFrom('1-2', 'none', '2:1', 'a,b', '%', '01', 'layer bars', '%31-2'),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
    );
    const documents = fc.array(fc.uniqueArray(name, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 });
    assertProperty(
      fc.property(documents, fc.infiniteStream(fc.boolean()), (all, choose) => {
        const nodes = all.map((groups, i) => documentOf(`host ${i + 1}`, groups));
        const selected = nodes
          .flatMap(({ groups }) => groups.map(({ key }) => key))
          .filter(() => choose.next().value === true);
        const tokens = selectionValue(nodes, selected);
        if (!tokens) return;
        const { view, problems } = parseLink(linkFragment(undefined, { groups: tokens }));
        expect(problems).toEqual([]);
        const found = selectedBy(nodes, view.groups ?? []);
        expect(found.unknown).toEqual([]);
        expect([...found.keys].sort()).toEqual([...selected].sort());
      }),
    );
  });
});
