package cloudtrail

// nextKey steps through an object for a caller that reads the values in its own way: start with i at the
// opening brace, go on with what afterValue returned. It returns the key as it stands, quotes and escapes
// included, and where its value starts, unchecked. At the closing brace done is set and value is the
// index after it.
func (s *scanner) nextKey(b []byte, i int) (key Value, value int, done bool, err error) {
	if i >= len(b) || b[i] != '{' && b[i] != ',' && b[i] != '}' {
		return nil, i, false, wrong(b, i, "a comma or the end of the object")
	}
	if b[i] == '}' {
		return nil, i + 1, true, nil
	}
	start := skipSpace(b, i+1)
	if b[i] == '{' && start < len(b) && b[start] == '}' {
		return nil, start + 1, true, nil
	}
	end, value, err := s.skipKey(b, start)
	if err != nil {
		return nil, value, false, err
	}
	return Value(b[start:end]), value, false, nil
}

// nextMember steps through the members of an object: start with i at the opening brace, go on with what
// next returned. The key is the JSON string as it stands, the value is checked; both are sub-slices of b.
// At the closing brace done is set and next is the index after it. On an error next is where it stopped,
// and value is nil unless it was whole and what follows it is wrong.
func (s *scanner) nextMember(b []byte, i int) (key, value Value, next int, done bool, err error) {
	key, start, done, err := s.nextKey(b, i)
	if done || err != nil {
		return nil, nil, start, done, err
	}
	end, err := s.skipValue(b, start)
	if err != nil {
		return key, nil, end, false, err
	}
	next, err = afterValue(b, end, '}')
	return key, Value(b[start:end]), next, false, err
}

// nextItem steps to the next value of an array and returns where it starts, unchecked: start with i at
// the opening bracket, go on with what afterValue returned. At the closing bracket done is set and value
// is the index after it.
func nextItem(b []byte, i int) (value int, done bool, err error) {
	if i >= len(b) || b[i] != '[' && b[i] != ',' && b[i] != ']' {
		return i, false, wrong(b, i, "a comma or the end of the array")
	}
	if b[i] == ']' {
		return i + 1, true, nil
	}
	start := skipSpace(b, i+1)
	if b[i] == '[' && start < len(b) && b[start] == ']' {
		return start + 1, true, nil
	}
	if start >= len(b) || b[start] == ']' {
		return start, false, wrong(b, start, "a value")
	}
	return start, false, nil
}

// nextElement steps through the values of an array as nextMember does through an object.
func (s *scanner) nextElement(b []byte, i int) (value Value, next int, done bool, err error) {
	start, done, err := nextItem(b, i)
	if done || err != nil {
		return nil, start, done, err
	}
	end, err := s.skipValue(b, start)
	if err != nil {
		return nil, end, false, err
	}
	next, err = afterValue(b, end, ']')
	return Value(b[start:end]), next, false, err
}

// afterValue returns the index of the comma or the closing bracket or brace that follows a value's end.
func afterValue(b []byte, i int, closer byte) (next int, err error) {
	i = skipSpace(b, i)
	if i < len(b) && (b[i] == ',' || b[i] == closer) {
		return i, nil
	}
	if closer == '}' {
		return i, wrong(b, i, "a comma or the end of the object")
	}
	return i, wrong(b, i, "a comma or the end of the array")
}
