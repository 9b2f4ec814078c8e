/**
 * Reads the text of an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 * Own reader, because the browser's hides heartbeats, unknown event names and refused log-ins.
 */
export type Frame = { event: string; data: string; id: string | null }

export class FrameReader {
  private rest = ''
  private event = ''
  private data: string[] = []
  private id: string | null = null

  /** Text in, whole frames out. Comments (heartbeats) make no frame. */
  push(chunk: string): Frame[] {
    this.rest += chunk
    const lines = this.rest.split(/\r\n|\n|\r(?!$)/)
    this.rest = lines.pop() ?? ''
    const frames: Frame[] = []
    for (const line of lines) this.line(line, frames)
    return frames
  }

  private line(line: string, frames: Frame[]): void {
    if (line === '') {
      if (this.data.length) frames.push({ event: this.event || 'message', data: this.data.join('\n'), id: this.id })
      this.event = ''
      this.data = []
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.event = value
    else if (field === 'data') this.data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.id = value
  }
}
