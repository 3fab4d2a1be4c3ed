/** What `window.iovascope.help()` answers. */
export const PAGE_API_HELP = `window.iovascope: all answer promises that settle when the page shows the result
  open([{name, data}])  opens files as a drop does; data: text, bytes or a Blob.
                        Answers where they went; [] if nothing was recognized
  paste(text)           opens a text as pasting does
  hosts()               [{id, name, sources, groups}]
  answer()              {severity, text, remedies}, or undefined
  conflicts()           [{severity, text, ranges, errno, rule, remedies}]
  setGuest("q35:8G")    the guest to try; null: none
  setDevice("0000:00:06.0", host)  the device to assign; null: none. host: its host's
                        id or name, if several hosts have a device of this address
  setKernel("6.1")      the kernel whose rules answer; null: as the sources say
  state()               {range, scale, selection, step}
  svg()                 the picture as SVG, or undefined
  png()                 the same as PNG, a Blob
  paint(scene, theme)   draws a scene of the command render as PNG, a Blob
  text()                the report for mail: ASCII, 72 columns
  markdown()            the report for a bug tracker
  link({redact: false}) a link that carries the session; names are replaced by default
  reset()               closes everything
  help()                this text`;
