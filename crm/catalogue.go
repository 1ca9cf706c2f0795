package crm

// Limits of what a catalogue holds.
const (
	maxSort     = 1_000_000_000 // of sort, either way
	defaultSort = 100
)

// deleteBatch is how many chats one transaction takes a tag, a level or a leaving
// employee from.
const deleteBatch = 100

// NamedInput is a tag category or a level to make, or what to change of one:
// fields that are not given stay as they are.
type NamedInput struct {
	CompanyID int64         `json:"companyId"` // 0: the actor's only company; of a new object alone
	Name      Field[string] `json:"name"`
	Sort      Field[int64]  `json:"sort"` // 100 when absent
}

// apply sets what was given and says whether that changed anything.
func (in NamedInput) apply(name *string, sort *int64, creating bool) (changed bool, err error) {
	if err := checkNamed(in.Name, in.Sort, creating); err != nil {
		return false, err
	}
	renamed, moved := into(name, in.Name), into(sort, in.Sort)
	return renamed || moved, nil
}

// checkNamed checks the fields that every catalogue object has. creating wants a
// name.
func checkNamed(name Field[string], sort Field[int64], creating bool) error {
	var nameViolation error
	if creating || name.Set {
		nameViolation = name.required("name")
		if nameViolation == nil {
			nameViolation = checkRequired("name", name.Value, maxName)
		}
	}
	sortViolation := sort.notNull("sort")
	if sort.Value < -maxSort || sort.Value > maxSort {
		sortViolation = Invalid("sort", "must be from %d to %d", -maxSort, maxSort)
	}
	return allViolations(nameViolation, sortViolation)
}
