import { Badge, Button, Drawer } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { useMay } from '../../../api/session'
import type { Channel } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { listKey } from '../../../ui/datalist/useListData'
import { Icon } from '../../../ui/Icon'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { Quantity } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty } from '../../../ui/states'
import { ChannelForm } from './ChannelForm'
import { Buffers } from './Buffers'
import { channelTexts } from './texts'

export function ChannelsPage() {
  const t = useTexts(channelTexts)
  const s = useShared()
  const may = useMay()
  const client = useQueryClient()
  const [open, setOpen] = useState<Channel | 'new' | null>(null)
  const again = () => client.invalidateQueries({ queryKey: listKey('/v1/channels') })
  const columns: Column<Channel>[] = [
    { id: 'name', header: s('name'), width: 'minmax(150px, 2fr)', narrow: 'title', cell: (row) => row.name },
    { id: 'code', header: t('code'), width: '130px', cell: (row) => <span className="mono">{row.code}</span> },
    { id: 'sites', header: t('sites'), width: 'minmax(140px, 2fr)', cell: (row) => row.sites.map((site) => site.code).join(', ') || t('noSites') },
    { id: 'buffer', header: t('buffer'), width: '120px', align: 'right', cell: (row) => <Quantity value={row.buffer} /> },
    { id: 'own', header: t('own'), width: '130px', align: 'right', cell: (row) => <span className="num">{row.buffer_count}</span> },
    { id: 'state', header: s('state'), width: '110px', narrow: 'corner', cell: (row) => (row.archived_at ? <Badge color="gray">{t('archived')}</Badge> : null) },
  ]
  const button = may('channels:write') ? (
    <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setOpen('new')} data-testid="new-channel">
      {t('newChannel')}
    </Button>
  ) : null
  const channel = open === 'new' ? null : open
  return (
    <Page title={t('title')} lead={t('lead')} fill testId="page-channels" actions={button}>
      <DataList<Channel>
        page="channels.channels"
        label={t('title')}
        path="/v1/channels"
        columns={columns}
        filters={[
          { param: 'q', label: s('name'), kind: 'text' },
          { param: 'archived', label: t('archivedLabel'), kind: 'flag' },
        ]}
        rowId={(row) => row.id}
        onOpen={setOpen}
        live={['channel.changed']}
        empty={
          <Empty title={t('none')} icon="store">
            {t('noneHint')}
          </Empty>
        }
      />
      <Drawer opened={open !== null} onClose={() => setOpen(null)} position="right" size="lg" title={channel ? t('channel', { code: channel.code }) : t('newChannel')} closeButtonProps={{ 'aria-label': s('close') }}>
        {open ? (
          <>
            <ChannelForm key={channel ? `${channel.id} ${channel.version}` : 'new'} channel={channel} onDone={(saved) => (setOpen(channel ? saved : null), void again())} />
            {channel ? <Buffers channel={channel} onDone={() => void again()} /> : null}
          </>
        ) : null}
      </Drawer>
    </Page>
  )
}
