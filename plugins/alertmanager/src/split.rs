//! A JSON array, element by element as it arrives, so that a list of any length costs the memory of one
//! element and of what is kept of it.

/// Most bytes of one element.
const MAX_ELEMENT: usize = 256 * 1024;

/// Finds the elements of one array. It understands only as much JSON as that takes; whoever takes an element
/// parses it.
#[derive(Default)]
pub(crate) struct Splitter {
    element: Vec<u8>,
    /// Brackets and braces open now; 1 is the array itself.
    depth: u32,
    is_text: bool,
    is_escaped: bool,
    is_over: bool,
}

impl Splitter {
    /// Takes more of the array; hands each complete element to `each`.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        each: &mut impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        for &byte in bytes {
            if self.depth == 0 {
                self.outside(byte)?;
                continue;
            }
            if self.is_text {
                self.is_text = self.is_escaped || byte != b'"';
                self.is_escaped = !self.is_escaped && byte == b'\\';
            } else {
                match byte {
                    b'"' => self.is_text = true,
                    b'[' | b'{' => self.depth += 1,
                    b']' | b'}' => self.depth -= 1,
                    _ => {}
                }
                let ends = self.depth == 0 || (self.depth == 1 && byte == b',');
                if ends {
                    self.is_over = self.depth == 0;
                    let blank = self.element.iter().all(u8::is_ascii_whitespace);
                    if !(blank && self.is_over) {
                        each(&self.element)?;
                    }
                    self.element.clear();
                    continue;
                }
            }
            if self.element.len() == MAX_ELEMENT {
                return Err(format!("one element of the list has more than {MAX_ELEMENT} bytes"));
            }
            self.element.push(byte);
        }
        Ok(())
    }

    fn outside(&mut self, byte: u8) -> Result<(), String> {
        match byte {
            _ if byte.is_ascii_whitespace() => Ok(()),
            b'[' if !self.is_over => {
                self.depth = 1;
                Ok(())
            }
            _ => Err("the answer is no JSON list".into()),
        }
    }

    /// Was the array complete?
    pub(crate) fn finish(&self) -> Result<(), String> {
        if self.is_over { Ok(()) } else { Err("the answer ends in the middle".into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &[u8], size: usize) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        let mut splitter = Splitter::default();
        for piece in text.chunks(size) {
            splitter.feed(piece, &mut |element| {
                found.push(String::from_utf8_lossy(element).trim().to_owned());
                Ok(())
            })?;
        }
        splitter.finish()?;
        Ok(found)
    }

    #[test]
    fn elements_are_found_however_they_arrive() {
        let text = br#" [ {"a":"]},\"\\"} , [1,[2]], "x", 4 ] "#;
        for size in 1..text.len() {
            assert_eq!(
                split(text, size).unwrap(),
                [r#"{"a":"]},\"\\"}"#, "[1,[2]]", r#""x""#, "4"],
                "{size}"
            );
        }
        assert!(split(b"[]", 1).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for bad in [&b"{}"[..], b"", b"[", b"[{}", b"[] x", b"[]]", b"<html>", b"null", b"[\"", b"\xff"] {
            assert!(split(bad, 1).is_err(), "{bad:?}");
        }
        let mut vast = b"[\"".to_vec();
        vast.resize(MAX_ELEMENT + 10, b'x');
        assert!(split(&vast, 4096).unwrap_err().contains("bytes"));
    }
}
