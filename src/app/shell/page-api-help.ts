/** The text that `window.iovascope.help()` returns. */
export const PAGE_API_HELP = `window.iovascope: all functions return promises that settle when the page shows the result
  open([{name, data}])  opens files, like a drop; data: text, bytes or a Blob.
                        Returns which hosts they joined; [] if nothing was recognized
  paste(text)           opens a text, like pasting it
  hosts()               [{id, name, sources, groups}]
  answer()              {severity, text, remedies}, or undefined
  conflicts()           [{severity, text, ranges, errno, rule, remedies}]
  setGuest("q35:8G")    the guest to try; null: none
  setDevice("0000:00:06.0", host)  the device to assign; null: none. host: id or name of
                        the host, if several have a device with this address
  setKernel("6.1")      the kernel whose rules answer; null: that of the sources
  state()               {range, scale, selection, step}
  svg()                 the picture as SVG, or undefined
  png()                 the same as PNG, a Blob
  paint(scene, theme)   draws a scene from the render command as PNG, a Blob
  text()                the report for mail: ASCII, 72 columns
  markdown()            the report for a bug tracker
  link({redact: false}) a link that carries the session; names are replaced by default
  reset()               closes everything
  help()                this text`;
