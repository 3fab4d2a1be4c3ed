// Markdown as React elements: nothing of it becomes HTML by itself, and pictures of other servers are not loaded.
import { fromMarkdown } from 'mdast-util-from-markdown';
import { Fragment, type ReactNode, useMemo } from 'react';

type Root = ReturnType<typeof fromMarkdown>;
type Nodes = Root | Root['children'][number];

function childrenOf(nodes: readonly Nodes[]): ReactNode {
  // The text does not change while it is shown: a node is known by its place.
  // biome-ignore lint/suspicious/noArrayIndexKey: see above
  return nodes.map((node, i) => <Fragment key={i}>{element(node)}</Fragment>);
}

function element(node: Nodes): ReactNode {
  switch (node.type) {
    case 'text':
      return node.value;
    case 'root':
      return childrenOf(node.children);
    case 'paragraph':
      return <p>{childrenOf(node.children)}</p>;
    case 'heading':
      return <h4>{childrenOf(node.children)}</h4>;
    case 'emphasis':
      return <em>{childrenOf(node.children)}</em>;
    case 'strong':
      return <strong>{childrenOf(node.children)}</strong>;
    case 'inlineCode':
      return <code>{node.value}</code>;
    case 'code':
      return <pre>{node.value}</pre>;
    case 'break':
      return <br />;
    case 'thematicBreak':
      return <hr />;
    case 'blockquote':
      return <blockquote>{childrenOf(node.children)}</blockquote>;
    case 'list':
      return node.ordered ? (
        <ol start={node.start ?? 1}>{childrenOf(node.children)}</ol>
      ) : (
        <ul>{childrenOf(node.children)}</ul>
      );
    case 'listItem':
      return <li>{childrenOf(node.children)}</li>;
    case 'link':
      return /^https?:/i.test(node.url) ? (
        <a href={node.url} target="_blank" rel="noreferrer">
          {childrenOf(node.children)}
        </a>
      ) : (
        childrenOf(node.children)
      );
    case 'image':
    case 'imageReference':
      return node.alt;
    case 'html':
      return node.value;
    default:
      return 'children' in node ? childrenOf(node.children) : null;
  }
}

export function Markdown({ text }: { text: string }) {
  const tree = useMemo(() => fromMarkdown(text), [text]);
  return <div className="markdown">{element(tree)}</div>;
}
