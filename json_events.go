package roomkit

// The JSON of events, one method for each type: without it encoding/json would leave
// the type out.

// MarshalJSON writes the type and the fields.
func (e *RoomCreated) MarshalJSON() ([]byte, error) {
	type fields RoomCreated
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MemberJoined) MarshalJSON() ([]byte, error) {
	type fields MemberJoined
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MemberLeft) MarshalJSON() ([]byte, error) {
	type fields MemberLeft
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MasterAppointed) MarshalJSON() ([]byte, error) {
	type fields MasterAppointed
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MasterDismissed) MarshalJSON() ([]byte, error) {
	type fields MasterDismissed
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MasterVacated) MarshalJSON() ([]byte, error) {
	type fields MasterVacated
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *RoomRenamed) MarshalJSON() ([]byte, error) {
	type fields RoomRenamed
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *PhotoChanged) MarshalJSON() ([]byte, error) {
	type fields PhotoChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *DescriptionChanged) MarshalJSON() ([]byte, error) {
	type fields DescriptionChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *VisibilityChanged) MarshalJSON() ([]byte, error) {
	type fields VisibilityChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *HistorySharingChanged) MarshalJSON() ([]byte, error) {
	type fields HistorySharingChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *NotificationSwitched) MarshalJSON() ([]byte, error) {
	type fields NotificationSwitched
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *FeaturesSwitched) MarshalJSON() ([]byte, error) {
	type fields FeaturesSwitched
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *FeaturesWithheldChanged) MarshalJSON() ([]byte, error) {
	type fields FeaturesWithheldChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MessageSwitchedOff) MarshalJSON() ([]byte, error) {
	type fields MessageSwitchedOff
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MessageSwitchedOn) MarshalJSON() ([]byte, error) {
	type fields MessageSwitchedOn
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *FeatureDataDeleted) MarshalJSON() ([]byte, error) {
	type fields FeatureDataDeleted
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *RoomConverted) MarshalJSON() ([]byte, error) {
	type fields RoomConverted
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *RoomEnded) MarshalJSON() ([]byte, error) {
	type fields RoomEnded
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *CompanyPut) MarshalJSON() ([]byte, error) {
	type fields CompanyPut
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *UserPut) MarshalJSON() ([]byte, error) {
	type fields UserPut
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *UserStatusChanged) MarshalJSON() ([]byte, error) {
	type fields UserStatusChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *CompanyMessagingChanged) MarshalJSON() ([]byte, error) {
	type fields CompanyMessagingChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *UserMessagingChanged) MarshalJSON() ([]byte, error) {
	type fields UserMessagingChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *TeamSynced) MarshalJSON() ([]byte, error) {
	type fields TeamSynced
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type, the codec version, the stored form in base64, and what
// all events carry.
func (u *Unknown) MarshalJSON() ([]byte, error) {
	type fields Unknown
	return named("type", u.Name, (*fields)(u))
}
