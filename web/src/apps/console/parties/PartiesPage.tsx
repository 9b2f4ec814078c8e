import { Badge, Button, Drawer } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { useMay } from '../../../api/session'
import type { Party } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { listKey } from '../../../ui/datalist/useListData'
import { Icon } from '../../../ui/Icon'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { Page } from '../../../ui/Page'
import { Empty } from '../../../ui/states'
import { PartyForm } from './PartyForm'
import { partyTexts } from './texts'

export type Kind = 'suppliers' | 'customers'

export const SuppliersPage = () => <PartiesPage kind="suppliers" />
export const CustomersPage = () => <PartiesPage kind="customers" />

function PartiesPage({ kind }: { kind: Kind }) {
  const t = useTexts(partyTexts)
  const s = useShared()
  const may = useMay()
  const client = useQueryClient()
  const [open, setOpen] = useState<Party | 'new' | null>(null)
  const buyer = kind === 'customers'
  const columns: Column<Party>[] = [
    { id: 'name', header: s('name'), width: 'minmax(160px, 2fr)', narrow: 'title', cell: (row) => row.name },
    { id: 'code', header: s('code'), width: '140px', cell: (row) => <span className="mono">{row.code}</span> },
    ...(buyer ? [{ id: 'life', header: t('life'), width: '190px', cell: (row: Party) => (row.minimum_life_days ? t('days', { count: row.minimum_life_days }) : '–') }] : []),
    { id: 'email', header: s('email'), width: 'minmax(150px, 1.5fr)', cell: (row) => row.email ?? '–' },
    { id: 'phone', header: t('phone'), width: '150px', cell: (row) => row.phone ?? '–' },
    { id: 'city', header: t('city'), width: 'minmax(100px, 1fr)', cell: (row) => row.address?.city ?? '–' },
    { id: 'state', header: s('state'), width: '110px', narrow: 'corner', cell: (row) => (row.archived_at ? <Badge color="gray">{t('archived')}</Badge> : null) },
  ]
  const party = open === 'new' ? null : open
  return (
    <Page
      title={t(kind)}
      lead={t(buyer ? 'customersLead' : 'suppliersLead')}
      fill
      testId={`page-${kind}`}
      actions={
        may('parties:write') ? (
          <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setOpen('new')} data-testid="new-party">
            {t(buyer ? 'newCustomer' : 'newSupplier')}
          </Button>
        ) : null
      }
    >
      <DataList<Party>
        page={`parties.${kind}`}
        label={t(kind)}
        path={`/v1/${kind}`}
        columns={columns}
        filters={[
          { param: 'q', label: s('search'), kind: 'text', placeholder: t('search') },
          { param: 'archived', label: t('archivedLabel'), kind: 'flag' },
        ]}
        rowId={(row) => row.id}
        onOpen={setOpen}
        live={[buyer ? 'customer.changed' : 'supplier.changed']}
        empty={
          <Empty title={t(buyer ? 'noCustomers' : 'noSuppliers')} icon={buyer ? 'user' : 'truck'}>
            {t('noneHint')}
          </Empty>
        }
      />
      <Drawer opened={open !== null} onClose={() => setOpen(null)} position="right" size="md" title={party ? t(buyer ? 'customer' : 'supplier', { code: party.code }) : t(buyer ? 'newCustomer' : 'newSupplier')} closeButtonProps={{ 'aria-label': s('close') }}>
        {open ? (
          <PartyForm
            key={party ? `${party.id} ${party.version}` : 'new'}
            kind={kind}
            party={party}
            onDone={() => {
              setOpen(null)
              void client.invalidateQueries({ queryKey: listKey(`/v1/${kind}`) })
            }}
          />
        ) : null}
      </Drawer>
    </Page>
  )
}
