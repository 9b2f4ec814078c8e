import { defineTexts } from '../../../values/i18n'

export const jobTexts = defineTexts({
  en: {
    title: 'Jobs', lead: 'Work in the background: what runs, what ran, what came of it.', job: 'Job', progress: 'Progress', created: 'Asked', started: 'Started', finished: 'Ended', attempts: 'Tries', by: 'Asked by', result: 'Result', error: 'Error', none: 'No jobs yet', noneHint: 'Imports, verifications and other long work appear here.',
    cancel: 'Stop', retry: 'Run again', cancelled: 'It will stop at the next safe point.', retried: 'It runs again.', stopping: 'stopping', openImport: 'Open the import', about: 'About it', import: 'Import', verify: 'Verification', verify_nightly: 'Nightly verification', backup: 'Backup', backup_nightly: 'Nightly backup', restore_test: 'Restore test', restore_test_weekly: 'Weekly restore test', partitions: 'Partitions ahead', mail_cleanup: 'Old mails removed', file_cleanup: 'Unused files removed', count_classes: 'Classes for counting', noResult: 'Nothing to show.', actions: 'Actions',
  },
  de: {
    title: 'Aufträge', lead: 'Arbeit im Hintergrund: was läuft, was lief, was dabei herauskam.', job: 'Auftrag', progress: 'Fortschritt', created: 'Erteilt', started: 'Begonnen', finished: 'Beendet', attempts: 'Versuche', by: 'Erteilt von', result: 'Ergebnis', error: 'Fehler', none: 'Noch keine Aufträge', noneHint: 'Importe, Prüfungen und andere lange Arbeiten erscheinen hier.',
    cancel: 'Anhalten', retry: 'Noch einmal', cancelled: 'Er hält am nächsten sicheren Punkt an.', retried: 'Er läuft noch einmal.', stopping: 'hält an', openImport: 'Import öffnen', about: 'Angaben', import: 'Import', verify: 'Prüfung', verify_nightly: 'Nächtliche Prüfung', backup: 'Sicherung', backup_nightly: 'Nächtliche Sicherung', restore_test: 'Probe einer Sicherung', restore_test_weekly: 'Wöchentliche Probe', partitions: 'Partitionen im Voraus', mail_cleanup: 'Alte Mails entfernt', file_cleanup: 'Unbenutzte Dateien entfernt', count_classes: 'Zählklassen', noResult: 'Nichts zu zeigen.', actions: 'Aktionen',
  },
})
