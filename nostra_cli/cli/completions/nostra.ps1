# Completion of nostra for PowerShell, in your $PROFILE:
# nostra completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName nostra -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $line = $commandAst.ToString()
    $end = $cursorPosition - $commandAst.Extent.StartOffset
    $before = @{
        Complete = $Env:_NOSTRA_COMPLETE
        Action = $Env:_TYPER_COMPLETE_FISH_ACTION
        Line = $Env:_TYPER_COMPLETE_ARGS
    }
    try {
        $Env:_NOSTRA_COMPLETE = 'complete_fish'
        $Env:_TYPER_COMPLETE_FISH_ACTION = 'get-args'
        # The cursor may be behind the blank that ends the last word.
        $Env:_TYPER_COMPLETE_ARGS = $line.PadRight($end).Substring(0, $end)
        & $commandAst.CommandElements[0].Value 2>$null | ForEach-Object {
            $word, $text = $_ -split "`t", 2
            # Files are left to PowerShell.
            if ($word -and $text -notin '<files>', '<directories>') {
                if (-not $text) { $text = $word }
                [System.Management.Automation.CompletionResult]::new(
                    $word, $word, 'ParameterValue', $text)
            }
        }
    }
    finally {
        $Env:_NOSTRA_COMPLETE = $before.Complete
        $Env:_TYPER_COMPLETE_FISH_ACTION = $before.Action
        $Env:_TYPER_COMPLETE_ARGS = $before.Line
    }
}
