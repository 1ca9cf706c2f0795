package crm

import (
	"errors"
	"syscall"

	"chatcast/models"
)

// troubleRetry is after how many seconds a request may come again that met a trouble.
const troubleRetry = 5

// troubleMessages are what callers are told of the troubles of the database.
var troubleMessages = map[models.Trouble]string{
	models.TroubleFull:     "nothing can be stored now: the disk of the database is full; try again later",
	models.TroubleReadOnly: "nothing can be stored now: the database takes no changes; try again later",
	models.TroubleAway:     "the database cannot be used now; try again later",
	models.TroubleDisk:     "nothing can be stored now: the disk of the database fails; try again later",
	models.TroubleSlow:     "the server does not answer in time; try again later",
}

// TroubleError returns the Error for err when the database cannot serve for now, and the
// word for it. Otherwise it returns nil.
func TroubleError(err error) (e *Error, word string) {
	trouble := models.TroubleOf(err)
	if trouble == "" {
		return nil, ""
	}
	return &Error{Code: CodeUnavailable, Message: troubleMessages[trouble], RetryAfter: troubleRetry}, string(trouble)
}

// DiskFull reports whether err says that a disk, or what its owner may use of it, is full.
func DiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
