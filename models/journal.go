package models

// AppendJournal adds an event to the journal in the transaction of its change,
// unnumbered: the relay gives Seq after the commit.
func (tx *Tx) AppendJournal(e *JournalEntry) error {
	return tx.create(e)
}
