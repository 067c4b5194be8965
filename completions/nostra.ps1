# Completion of nostra for PowerShell: dot-source it in your $PROFILE.

Register-ArgumentCompleter -Native -CommandName nostra -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $line = $commandAst.ToString()
    $end = $cursorPosition - $commandAst.Extent.StartOffset
    $before = @{ Complete = $Env:_NOSTRA_COMPLETE; Line = $Env:_TYPER_COMPLETE_ARGS }
    try {
        $Env:_NOSTRA_COMPLETE = 'complete_powershell'
        # The cursor may be behind the blank that ends the last word.
        $Env:_TYPER_COMPLETE_ARGS = $line.PadRight($end).Substring(0, $end)
        & $commandAst.CommandElements[0].Value 2>$null | ForEach-Object {
            $word, $text = $_ -split "`t", 2
            if ($word) {
                if (-not $text) { $text = $word }
                [System.Management.Automation.CompletionResult]::new(
                    $word, $word, 'ParameterValue', $text)
            }
        }
    }
    finally {
        $Env:_NOSTRA_COMPLETE = $before.Complete
        $Env:_TYPER_COMPLETE_ARGS = $before.Line
    }
}
