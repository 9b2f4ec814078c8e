import { Badge } from '@mantine/core'

import type { Job } from '../../../api/types'
import { useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { jobTexts } from './texts'

const COLORS = { queued: 'gray', running: 'amber', done: 'spruce', failed: 'brick', cancelled: 'gray' } as const

export function JobState({ job }: { job: Job }) {
  const t = useTexts(jobTexts)
  const word = useWord(words)
  const stopping = job.cancel_asked && job.state === 'running'
  return <Badge color={COLORS[job.state]}>{stopping ? t('stopping') : word(job.state)}</Badge>
}
