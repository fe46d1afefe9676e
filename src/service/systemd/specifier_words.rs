//! Specifiers in words: `systemd.unit(5)`, "Specifiers".

/// What a letter stands for, in words.
pub(crate) fn meaning(letter: char) -> Option<&'static str> {
    Some(match letter {
        'a' => "the architecture",
        'A' => "the version of the image",
        'b' => "the number of the boot",
        'B' => "the build of the system",
        'C' => "the folder of caches",
        'd' => "the folder of credentials",
        'D' => "the folder of shared data",
        'E' => "the folder of configurations",
        'f' => "the path in the name of the unit",
        'g' | 'G' => "the group of root",
        'h' => "the home of root",
        'H' | 'l' | 'q' => "the name of the host",
        'i' | 'I' => "the instance",
        'j' | 'J' | 'p' | 'P' => "a part of the name of the unit",
        'L' => "the folder of logs",
        'm' => "the number of the machine",
        'M' => "the image",
        'n' | 'N' => "the name of the unit",
        'o' | 'w' | 'W' => "the name or version of the system",
        's' => "the shell of root",
        'S' => "the folder of states",
        't' => "the folder /run",
        'T' | 'V' => "a temporary folder",
        'u' | 'U' => "root",
        'v' => "the version of the kernel",
        'y' | 'Y' => "the file of the unit",
        _ => return None,
    })
}
