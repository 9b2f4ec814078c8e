import { Button, Group, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import { api } from '../../../api/client'
import { useMay } from '../../../api/session'
import type { Backup, Job, Page as ListPage, ServerState } from '../../../api/types'
import detail from '../../../ui/detail.module.css'
import { Facts, Panel } from '../../../ui/Facts'
import { Icon } from '../../../ui/Icon'
import { useFormats, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { When } from '../../../ui/numbers'
import { Problem } from '../../../ui/states'
import { uuid7 } from '../../../values/uuid7'
import css from './integrity.module.css'
import { integrityTexts } from './integrityTexts'
import { useSize } from './size'

const KEY = ['backups']

/** What can be had back: bases, how far the archived log reaches, whether a base was tried out. */
export function Backups({ server }: { server: ServerState }) {
  const t = useTexts(integrityTexts)
  const may = useMay()
  const client = useQueryClient()
  const embedded = server.database.kind === 'embedded'
  const found = useQuery({ queryKey: KEY, queryFn: () => api.get<ListPage<Backup>>('/v1/backups', { query: { limit: 10 } }), enabled: embedded })
  const start = useMutation({
    mutationFn: (label: string | null) => api.post<Job>(label === null ? '/v1/backups' : '/v1/restore-tests', label === null ? { id: uuid7() } : { id: uuid7(), label }),
    onSuccess: async (_, label) => {
      notifyDone(t(label === null ? 'backingUp' : 'trying'))
      await client.invalidateQueries({ queryKey: ['server'] })
    },
  })
  const { archive } = server
  const rows = found.data?.data ?? []
  const act = may('backups:write') && embedded
  return (
    <Panel
      title={t('backups')}
      id="integrity-backups"
      testId="integrity-backups"
      actions={
        act ? (
          <Button variant="default" size="xs" leftSection={<Icon name="export" size={16} />} loading={start.isPending} onClick={() => start.mutate(null)} data-testid="back-up-now">
            {t('backUpNow')}
          </Button>
        ) : null
      }
    >
      {start.error ? <Problem error={start.error} /> : null}
      {found.error ? <Problem error={found.error} retry={() => void found.refetch()} /> : null}
      <Text c="dimmed" size="sm" mb="sm">
        {t(archive.why_off ?? 'anyInstant')}
      </Text>
      {embedded ? (
        <>
          {rows.length ? <Rows rows={rows} tryOut={act ? (label) => start.mutate(label) : null} busy={start.isPending} /> : <Text size="sm">{t('noBackups')}</Text>}
          <div style={{ marginTop: 14 }}>
            <Facts
              facts={[
                [t('reaches'), archive.reaches ? <When key="r" at={archive.reaches} /> : null],
                [t('waiting'), archive.on ? <span key="w" className={archive.waiting > 5 ? 'warn' : undefined}>{t('segments', { count: archive.waiting })}</span> : null],
                [t('keeps'), archive.on ? t('days', { count: archive.keep_days }) : null],
                [t('folder'), archive.folder ? <span key="f" className="mono">{archive.folder}</span> : null],
              ]}
            />
          </div>
        </>
      ) : null}
    </Panel>
  )
}

function Rows({ rows, tryOut, busy }: { rows: Backup[]; tryOut: ((label: string) => void) | null; busy: boolean }) {
  const t = useTexts(integrityTexts)
  const size = useSize()
  const formats = useFormats()
  return (
    <div className={detail.scroll}>
      <table className={detail.rows}>
        <thead>
          <tr>
            <th>{t('backup')}</th>
            <th className={detail.n}>{t('size')}</th>
            <th className={detail.n}>{t('postings')}</th>
            <th>{t('triedOut')}</th>
            {tryOut ? <th aria-label={t('tryOut')} /> : null}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.label} data-testid="backup-row">
              <td>
                <When at={row.restorable_from} />
              </td>
              <td className={`num ${detail.n}`}>{size(row.size)}</td>
              <td className={`num ${detail.n}`}>{formats.count(row.postings)}</td>
              <td>
                {row.tested ? (
                  <>
                    <span className={row.tested.ok ? 'good' : 'bad'}>{t(row.tested.ok ? 'triedWell' : 'triedBad')}</span>
                    <div className={css.note}>
                      <When at={row.tested.at} />
                    </div>
                  </>
                ) : (
                  <Text span c="dimmed" size="sm">
                    {t('triedNever')}
                  </Text>
                )}
              </td>
              {tryOut ? (
                <td className={detail.n}>
                  <Group justify="flex-end">
                    <Button variant="subtle" size="compact-xs" disabled={busy} onClick={() => tryOut(row.label)}>
                      {t('tryOut')}
                    </Button>
                  </Group>
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
