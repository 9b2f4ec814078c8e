import { Progress, Text } from '@mantine/core'

import { useFormats, useShared } from './i18n/useTexts'

type Amount = { done: number | null; total: number | null; unit: string | null }

/** How far a job is: a bar when the end is known, else a count. */
export function JobProgress({ progress, state, label }: { progress: Amount; state: string; label: string }) {
  const s = useShared()
  const formats = useFormats()
  const { done, total, unit } = progress
  const running = state === 'running' || state === 'queued'
  if (done === null || (!running && !total)) return state === 'queued' ? <Text size="sm">{s('loading')}</Text> : null
  const share = total ? Math.min(100, (done / total) * 100) : 0
  const text = [total ? `${formats.count(done)} / ${formats.count(total)}` : formats.count(done), unit ?? ''].join(' ').trim()
  return (
    <div style={{ minWidth: 0, width: '100%' }}>
      {total ? <Progress value={share} aria-label={label} striped={running} animated={running} color={state === 'failed' ? 'brick' : undefined} /> : null}
      <Text size="xs" c="dimmed" className="num" mt={2}>
        {text}
      </Text>
    </div>
  )
}
