import { Modal, Table } from '@mantine/core'

import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { NAV } from './nav'
import css from './shell.module.css'
import { shellTexts } from './texts'

/** The keys of every screen, shown by "?". */
export function KeysHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useTexts(shellTexts)
  const s = useShared()
  const rows: [string[], string][] = [
    [['Ctrl K', '/'], t('keySearch')],
    [['?'], t('keyHelp')],
    [['r'], t('keyRefresh')],
    [['Scan'], t('keyScan')],
    [['↑', '↓', 'Home', 'End'], t('keyArrows')],
    [['Enter'], t('keyEnter')],
    [['Space'], t('keySpace')],
    [['Esc'], t('keyEsc')],
    ...NAV.flatMap((group) => group.entries.filter((entry) => entry.go).map((entry): [string[], string] => [['g', entry.go!], t(entry.label)])),
  ]
  return (
    <Modal opened={opened} onClose={onClose} title={t('keysTitle')} closeButtonProps={{ 'aria-label': s('close') }}>
      <Table data-testid="keys">
        <Table.Tbody>
          {rows.map(([keys, words]) => (
            <Table.Tr key={keys.join()}>
              <Table.Td w={150}>
                {keys.map((key) => (
                  <kbd key={key} className={css.kbd} style={{ marginRight: 5 }}>
                    {key}
                  </kbd>
                ))}
              </Table.Td>
              <Table.Td>{words}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  )
}
