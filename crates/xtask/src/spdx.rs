//! Licence expressions as crates state them: `MIT OR Apache-2.0`, `(MIT OR ISC) AND Zlib`, and the old `MIT/Apache-2.0`.
//! <https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/>

/// Whether an expression can be satisfied with licences of which `allowed` says yes. A licence with an exception is asked
/// for as it stands: `Apache-2.0 WITH LLVM-exception`.
///
/// # Errors
/// When it is no expression.
pub fn satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    let answer = reader.any()?;
    match reader.words.first() {
        None => Ok(answer),
        Some(word) => Err(format!("`{word}` is out of place in `{expression}`")),
    }
}

struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a dyn Fn(&str) -> bool,
}

impl<'a> Reader<'a> {
    /// One choice of several is enough.
    fn any(&mut self) -> Result<bool, String> {
        let mut answer = self.all()?;
        while self.skip("OR") {
            answer |= self.all()?;
        }
        Ok(answer)
    }

    /// Every part must be allowed. `AND` binds closer than `OR`.
    fn all(&mut self) -> Result<bool, String> {
        let mut answer = self.one()?;
        while self.skip("AND") {
            answer &= self.one()?;
        }
        Ok(answer)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.skip("(") {
            let answer = self.any()?;
            return if self.skip(")") { Ok(answer) } else { Err("a bracket is not closed".into()) };
        }
        let licence = self.next()?;
        if self.skip("WITH") {
            let exception = self.next()?;
            return Ok((self.allowed)(&format!("{licence} WITH {exception}")));
        }
        Ok((self.allowed)(licence))
    }

    fn next(&mut self) -> Result<&'a str, String> {
        match self.words.split_first() {
            Some((word, rest)) if !["AND", "OR", "WITH", "(", ")"].contains(word) => {
                self.words = rest;
                Ok(word)
            }
            Some((word, _)) => Err(format!("`{word}` where a licence should be")),
            None => Err("the expression ends where a licence should be".into()),
        }
    }

    fn skip(&mut self, word: &str) -> bool {
        match self.words.split_first() {
            Some((first, rest)) if *first == word => {
                self.words = rest;
                true
            }
            Some(_) | None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(expression: &str) -> Result<bool, String> {
        satisfied(expression, &|licence| {
            ["MIT", "ISC", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"].contains(&licence)
        })
    }

    #[test]
    fn a_choice_needs_one_and_a_sum_needs_all() {
        assert_eq!(free("MIT OR GPL-3.0-only"), Ok(true));
        assert_eq!(free("MIT AND GPL-3.0-only"), Ok(false));
        assert_eq!(free("MIT/GPL-2.0"), Ok(true));
        assert_eq!(free("GPL-2.0 OR MIT AND GPL-3.0-only"), Ok(false));
        assert_eq!(free("(GPL-2.0 OR MIT) AND ISC"), Ok(true));
        assert_eq!(free("Apache-2.0 WITH LLVM-exception"), Ok(true));
        assert_eq!(free("MIT WITH LLVM-exception"), Ok(false));
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for wrong in ["", "MIT OR", "OR MIT", "(MIT", "MIT ISC", "MIT)", "MIT WITH"] {
            assert!(free(wrong).is_err(), "{wrong}");
        }
    }
}
