package shape

// For the tests of the words.
var (
	MemberName    = memberName
	RenameMembers = renameMembers
)
