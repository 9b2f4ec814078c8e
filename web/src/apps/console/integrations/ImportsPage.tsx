import { Button, FileButton, Group, Radio, SimpleGrid, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '../../../api/client'
import { upload } from '../../../api/files'
import type { ImportDetail, ImportRow } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { Panel } from '../../../ui/Facts'
import { Icon } from '../../../ui/Icon'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty, Loading, Problem } from '../../../ui/states'
import { useUrl } from '../../../ui/url'
import { paths } from '../../../values/paths'
import { uuid7 } from '../../../values/uuid7'
import { ImportState } from './ImportState'
import css from './imports.module.css'
import { kindsQuery } from './kinds'
import { importTexts } from './texts'

export function ImportsPage() {
  const t = useTexts(importTexts)
  return (
    <Page title={t('title')} lead={t('lead')} testId="page-imports">
      <NewImport />
      <Past />
    </Page>
  )
}

/** What is in the file, and the file. Then it is looked into, nothing more. */
function NewImport() {
  const t = useTexts(importTexts)
  const kindWord = useWord(importTexts)
  const navigate = useNavigate()
  const kinds = useQuery(kindsQuery)
  const [search, change] = useUrl()
  const [over, setOver] = useState(false)
  const kind = kinds.data?.find((each) => each.kind === (search.new ?? 'products') && each.allowed) ?? kinds.data?.find((each) => each.allowed)
  const start = useMutation({
    mutationFn: async (file: File) => {
      const { id: file_id } = await upload(file)
      return api.post<ImportDetail>('/v1/imports', { id: uuid7(), kind: kind!.kind, file_id })
    },
    onSuccess: (made) => void navigate({ href: paths.import(made.id) }),
  })
  if (kinds.error) return <Problem error={kinds.error} retry={() => void kinds.refetch()} />
  if (!kinds.data) return <Loading />
  const take = (file: File | null | undefined) => {
    if (file && kind && !start.isPending) start.mutate(file)
  }
  return (
    <Panel title={t('newImport')} id="new-import">
      <Stack>
        <Radio.Group label={t('choose')} value={kind?.kind ?? null} onChange={(next) => change({ new: next })}>
          <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} spacing="xs" mt="xs">
            {kinds.data.map((each) => (
              <Radio key={each.kind} value={each.kind} disabled={!each.allowed} label={kindWord(each.kind)} description={each.allowed ? undefined : t('notAllowed')} data-testid={`kind-${each.kind}`} />
            ))}
          </SimpleGrid>
        </Radio.Group>
        {kind ? (
          <>
            <div
              className={css.drop}
              data-over={over || undefined}
              onDragOver={(event) => {
                event.preventDefault()
                setOver(true)
              }}
              onDragLeave={() => setOver(false)}
              onDrop={(event) => {
                event.preventDefault()
                setOver(false)
                take(event.dataTransfer.files[0])
              }}
            >
              <FileButton onChange={take} accept=".csv,.tsv,.txt,.xlsx,text/csv">
                {(props) => (
                  <Button {...props} leftSection={<Icon name="import" size={16} />} loading={start.isPending} data-testid="pick-file">
                    {start.isPending ? t('uploading') : t('pick')}
                  </Button>
                )}
              </FileButton>
              <Text size="sm" c="dimmed">
                {t('dropHint')}
              </Text>
              <Text size="sm" c="dimmed">
                {t('fileHint')}
              </Text>
            </div>
            <Group>
              <a href={`/v1/import-kinds/${kind.kind}/template`} download>
                {t('template')}
              </a>
            </Group>
          </>
        ) : null}
        {start.error ? <Problem error={start.error} /> : null}
      </Stack>
    </Panel>
  )
}

function Past() {
  const t = useTexts(importTexts)
  const s = useShared()
  const kindWord = useWord(importTexts)
  const formats = useFormats()
  const navigate = useNavigate()
  const kinds = useQuery(kindsQuery)
  const count = (row: ImportRow, name: 'rows' | 'created' | 'updated' | 'failed') => <span className="num">{row.counts ? formats.count(row.counts[name]) : '–'}</span>
  const columns: Column<ImportRow>[] = [
    { id: 'at', header: t('at'), width: '175px', cell: (row) => <When at={row.created_at} /> },
    { id: 'file', header: t('fileName'), width: 'minmax(160px, 2fr)', narrow: 'title', cell: (row) => row.file_name },
    { id: 'kind', header: t('kind'), width: '170px', cell: (row) => kindWord(row.kind) },
    { id: 'state', header: s('state'), width: '170px', narrow: 'corner', cell: (row) => <ImportState row={row} /> },
    { id: 'rows', header: t('rows'), width: '80px', align: 'right', cell: (row) => count(row, 'rows') },
    { id: 'created', header: t('created'), width: '80px', align: 'right', cell: (row) => count(row, 'created') },
    { id: 'updated', header: t('updated'), width: '80px', align: 'right', hidden: true, cell: (row) => count(row, 'updated') },
    { id: 'failed', header: t('failed'), width: '100px', align: 'right', hidden: true, cell: (row) => count(row, 'failed') },
    { id: 'by', header: t('by'), width: 'minmax(100px, 1fr)', cell: (row) => String(row.created_by.name ?? '–') },
  ]
  return (
    <>
      <h2 className={css.heading}>{t('past')}</h2>
      <div className={css.past}>
        <DataList<ImportRow>
          page="integrations.imports"
          label={t('past')}
          path="/v1/imports"
          columns={columns}
          filters={[{ param: 'kind', label: t('kind'), kind: 'choice', options: (kinds.data ?? []).map((each) => ({ value: each.kind, label: kindWord(each.kind) })) }]}
          rowId={(row) => row.id}
          onOpen={(row) => void navigate({ href: paths.import(row.id) })}
          live={['job.changed']}
          empty={
            <Empty title={t('none')} icon="import">
              {t('noneHint')}
            </Empty>
          }
        />
      </div>
    </>
  )
}
