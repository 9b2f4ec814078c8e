import { defineTexts } from '../../../values/i18n'

export const posTexts = defineTexts({
  en: {
    title: 'Sales', lead: 'What the tills said happened, the newest first.', searchHint: 'Receipt number', number: 'Receipt', register: 'Till', happened: 'Happened', recorded: 'Recorded', units: 'Units', lines: 'Lines',
    after: 'From', empty: 'No sales yet', emptyHint: 'Sales appear here the moment a till sends them.', sale: 'Sale {number}', refundTitle: 'Refund {number}', noNumber: 'without a number', item: 'Item', unitPrice: 'Price', discount: 'Discount', net: 'Net', lineTotal: 'Total',
    unresolved: 'Unknown item', refundedPart: '{quantity} refunded', tenders: 'Paid by', noTenders: 'The till told nothing about the payment.', cash: 'Cash', card: 'Card', voucher: 'Voucher', other: 'Other', postings: 'Postings', noPostings: 'Nothing was posted.', about: 'About it',
    refundOf: 'Refund of', refunds: 'Refunds', toSale: 'the sale', toRefund: 'Refund {count}', refund: 'Refund …', void: 'Void …', voidTitle: 'Void this sale', voidHint: 'Everything goes back to stock by a counter-posting. The sale stays on record as voided.', voidReason: 'Why is it voided?', voidSubmit: 'Void the sale', voided: 'Sale voided.',
    refundDialog: 'Refund from {number}', refundHint: 'Choose what comes back. Never more than was sold.', back: 'Comes back', ofMost: 'of {most}', amount: 'Money back', all: 'All', condition: 'Goes back as', payBack: 'Paid back by', refundSum: 'To pay back', refundSubmit: 'Refund {amount}', nothingChosen: 'Choose at least one line.', badNumber: 'Please type a number.', tooMany: 'At most {most}.', refunded: 'Refunded.', atTill: 'At till',
    soldNothing: 'Nothing of this can come back.', customer: 'Customer', reference: 'Reference',
  },
  de: {
    title: 'Verkäufe', lead: 'Was die Kassen gemeldet haben, das Neueste zuerst.', searchHint: 'Belegnummer', number: 'Beleg', register: 'Kasse', happened: 'Geschehen', recorded: 'Erfasst', units: 'Stück', lines: 'Zeilen',
    after: 'Ab', empty: 'Noch keine Verkäufe', emptyHint: 'Verkäufe erscheinen hier, sobald eine Kasse sie meldet.', sale: 'Verkauf {number}', refundTitle: 'Erstattung {number}', noNumber: 'ohne Nummer', item: 'Artikel', unitPrice: 'Preis', discount: 'Rabatt', net: 'Netto', lineTotal: 'Summe',
    unresolved: 'Unbekannter Artikel', refundedPart: '{quantity} erstattet', tenders: 'Bezahlt mit', noTenders: 'Die Kasse hat zur Zahlung nichts gemeldet.', cash: 'Bar', card: 'Karte', voucher: 'Gutschein', other: 'Sonstiges', postings: 'Buchungen', noPostings: 'Es wurde nichts gebucht.', about: 'Angaben',
    refundOf: 'Erstattung von', refunds: 'Erstattungen', toSale: 'dem Verkauf', toRefund: 'Erstattung {count}', refund: 'Erstatten …', void: 'Stornieren …', voidTitle: 'Diesen Verkauf stornieren', voidHint: 'Alles geht durch eine Gegenbuchung in den Bestand zurück. Der Verkauf bleibt als storniert verzeichnet.', voidReason: 'Warum wird storniert?', voidSubmit: 'Verkauf stornieren', voided: 'Verkauf storniert.',
    refundDialog: 'Erstattung aus {number}', refundHint: 'Wählen Sie, was zurückkommt. Nie mehr, als verkauft wurde.', back: 'Kommt zurück', ofMost: 'von {most}', amount: 'Geld zurück', all: 'Alles', condition: 'Geht zurück als', payBack: 'Erstattet mit', refundSum: 'Zu erstatten', refundSubmit: '{amount} erstatten', nothingChosen: 'Wählen Sie mindestens eine Zeile.', badNumber: 'Bitte eine Zahl eingeben.', tooMany: 'Höchstens {most}.', refunded: 'Erstattet.', atTill: 'An Kasse',
    soldNothing: 'Davon kann nichts zurückkommen.', customer: 'Kunde', reference: 'Beleg-Nr.',
  },
})
