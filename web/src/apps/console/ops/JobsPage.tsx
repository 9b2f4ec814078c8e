import { useNavigate } from '@tanstack/react-router'

import type { Job } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { JobProgress } from '../../../ui/JobProgress'
import { When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { JobState } from './JobState'
import { jobTexts } from './texts'

const STATES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const
const KINDS = ['import', 'verify', 'verify_nightly', 'backup', 'restore_test', 'partitions', 'mail_cleanup', 'file_cleanup', 'count_classes'] as const

export function JobsPage() {
  const t = useTexts(jobTexts)
  const s = useShared()
  const word = useWord(words)
  const kind = useWord(jobTexts)
  const navigate = useNavigate()
  const columns: Column<Job>[] = [
    { id: 'title', header: t('job'), width: 'minmax(220px, 3fr)', narrow: 'title', cell: (row) => row.title },
    { id: 'kind', header: s('kind'), width: '150px', cell: (row) => kind(row.kind) },
    { id: 'state', header: s('state'), width: '120px', narrow: 'corner', cell: (row) => <JobState job={row} /> },
    { id: 'progress', header: t('progress'), width: '170px', cell: (row) => <JobProgress progress={row.progress} state={row.state} label={row.title} /> },
    { id: 'created', header: t('created'), width: '175px', cell: (row) => <When at={row.created_at} /> },
    { id: 'finished', header: t('finished'), width: '175px', hidden: true, cell: (row) => <When at={row.finished_at} /> },
    { id: 'attempts', header: t('attempts'), width: '80px', align: 'right', hidden: true, cell: (row) => <span className="num">{row.attempts}</span> },
    { id: 'by', header: t('by'), width: 'minmax(110px, 1fr)', cell: (row) => row.created_by.name },
  ]
  return (
    <Page title={t('title')} lead={t('lead')} fill testId="page-jobs">
      <DataList<Job>
        page="ops.jobs"
        label={t('title')}
        path="/v1/jobs"
        columns={columns}
        filters={[
          { param: 'state', label: s('state'), kind: 'choice', options: STATES.map((state) => ({ value: state, label: word(state) })) },
          { param: 'kind', label: s('kind'), kind: 'choice', options: KINDS.map((each) => ({ value: each, label: kind(each) })) },
        ]}
        rowId={(row) => row.id}
        onOpen={(row) => void navigate({ href: paths.job(row.id) })}
        live={['job.changed']}
        empty={
          <Empty title={t('none')} icon="jobs">
            {t('noneHint')}
          </Empty>
        }
      />
    </Page>
  )
}
